package out

import (
	"github.com/schollz/progressbar/v3"
)

// Progress shows how far a long command is, in a bar on a terminal's Err that
// goes away when it is done. Elsewhere it shows nothing.
type Progress struct {
	p    *Printer
	bar  *progressbar.ProgressBar
	name string
}

func (p *Printer) Progress() *Progress { return &Progress{p: p} }

// Set says that done of total things of a name are done.
func (b *Progress) Set(name string, done, total int) {
	if !isTerminal(b.p.Err) || b.p.Dumb || total == 0 {
		return
	}
	if name != b.name {
		b.Done()
		b.name = name
		to, _ := fileOf(b.p.Err)
		b.bar = progressbar.NewOptions(
			total,
			progressbar.OptionSetWriter(to),
			progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false),
		)
	}
	_ = b.bar.Set(done)
}

// Done takes the bar away.
func (b *Progress) Done() {
	if b.bar != nil {
		_ = b.bar.Finish()
		_ = b.bar.Clear()
		b.bar = nil
	}
}
