package db

import "os"

// wal keeps zeros ahead of the end of SQLite's log. A commit that makes the
// file longer makes the file system write its own journal too, which takes
// several times as long as syncing bytes that were there. SQLite does not mind
// what follows the last frame: its own old frames stay there after each
// checkpoint. Only the writer's leader may call grow, between transactions.
type wal struct {
	path string
	file *os.File
	size int64 // as far as zeros were written
}

const (
	walFirst = 256 << 10
	walStep  = 4 << 20
	walMost  = 40 << 20 // a checkpoint begins the log anew at 8000 pages, before this
)

// grow writes more zeros once SQLite has come to the end of those before.
// Failing is no harm: the log then grows by itself, more slowly.
func (w *wal) grow() {
	if w.path == "" || w.size >= walMost {
		return
	}
	if w.file == nil {
		f, err := os.OpenFile(w.path, os.O_WRONLY, 0)
		if err != nil {
			w.path = ""
			return
		}
		w.file = f
	}
	st, err := w.file.Stat()
	if err != nil || st.Size() <= w.size || st.Size() >= walMost {
		return
	}
	n := min(max(walFirst, st.Size()), walStep)
	if _, err := w.file.WriteAt(make([]byte, n), st.Size()); err != nil {
		w.path = "" // a full disk, most likely: what SQLite needs comes first
		return
	}
	w.size = st.Size() + n
}

func (w *wal) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}
