package queries

// The grammar of core.PlainText in the regular expressions of PostgreSQL.
const (
	terminalControls = `[\u0001-\u0008\u000b-\u001f\u007f-\u009f]`
	escapeSequences  = `(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?` +
		`|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?` +
		`|\u001b[ -/]*[0-~]?` +
		`|[\u0001-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]`
	overwrittenLines = `[^\n]*\r(?=[^\r\n])`
)

// plainText is a column as core.PlainText has it: what a page shows of terminal
// output is what a search finds. Most rows need no change, and are told apart
// first. On SQLite plain_text is a function of ours.
func (b *builder) plainText(col string) string {
	if b.d == Postgres {
		return "(CASE WHEN " + col + " ~ '" + terminalControls + "' THEN replace(regexp_replace(regexp_replace(" + col +
			", '" + escapeSequences + "', '', 'g'), '" + overwrittenLines + "', '', 'g'), chr(13), '') ELSE " + col + " END)"
	}
	controls := "char(1) || '-' || char(8) || char(11) || '-' || char(31) || char(127) || '-' || char(159)"
	return "(CASE WHEN " + col + " GLOB '*[' || " + controls + " || ']*' THEN plain_text(" + col + ") ELSE " + col + " END)"
}
