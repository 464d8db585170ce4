package out

import (
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Ago is a time seen from now: "5m ago", "in 2h". The zero time is "".
func (p *Printer) Ago(t core.Time) string {
	if t.IsZero() {
		return ""
	}
	d := p.Now().Sub(t.Time())
	switch {
	case d < -time.Second:
		return "in " + rough(-d)
	case d < time.Second:
		return "now"
	}
	return rough(d) + " ago"
}

func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Duration is a length in two units at most: "12 ms", "1.3 s", "1m 42s".
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Full is a local time for detail pages, with how long ago it was.
func (p *Printer) Full(t core.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Time().Local().Format("2006-01-02 15:04:05 MST") + " (" + p.Ago(t) + ")"
}
