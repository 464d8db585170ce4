package access

import (
	"io"
	"net/http"
	"time"
)

// A body has start to begin, and then must come at least at rate bytes per second
// on the whole: a client that sends a byte now and then holds a connection, and
// what has been read of the body, without end.
const (
	start = 30 * time.Second
	rate  = 16 << 10
)

// TimelyBodies ends the connections of clients whose bodies come too slowly.
func TimelyBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &timely{ReadCloser: r.Body, conn: http.NewResponseController(w), began: time.Now()}
		}
		next.ServeHTTP(w, r)
	})
}

type timely struct {
	io.ReadCloser
	conn  *http.ResponseController
	began time.Time
	read  int64
	set   time.Time // the deadline that holds
}

func (b *timely) Read(p []byte) (int, error) {
	// The deadline is moved every few seconds, not for each read.
	if end := b.began.Add(start + time.Duration(b.read/rate)*time.Second); end.Sub(b.set) > 5*time.Second {
		b.set = end
		_ = b.conn.SetReadDeadline(end)
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err != nil {
		// Whoever handles the request may take as long as it likes; the deadline
		// would end it, because the connection is watched for the client's leaving.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
