// Package block has the blocks: types, schemas, and documents with their references
// and encrypted data. It also masks the values of secrets in what is stored or
// shown, and hydrates parameters: it puts the values of variables and templates in
// the place of the wrappers that stand for them.
package block
