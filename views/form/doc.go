// Package form turns a JSON schema into typed form fields, and posted form
// values back into JSON of the schema's types, with errors on the fields.
package form
