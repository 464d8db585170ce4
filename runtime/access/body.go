package access

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// A body must come at least at rate bytes per second on the whole, after it had
// bodyStart to begin: a client that sends a byte now and then holds a connection,
// and what has been read of the body, without end.
const rate = 16 << 10

var bodyStart = 30 * time.Second

// TimelyBodies ends the connections of clients whose bodies come too slowly, also
// if the handler does not read the body: before it answers, the server itself does.
func TimelyBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			b := &timely{ReadCloser: r.Body, conn: http.NewResponseController(w), began: time.Now()}
			b.extend()
			r.Body = b
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

// extend moves the deadline every few seconds, not for each read.
func (b *timely) extend() {
	if end := b.began.Add(bodyStart + time.Duration(b.read/rate)*time.Second); end.Sub(b.set) > 5*time.Second {
		b.set = end
		_ = b.conn.SetReadDeadline(end)
	}
}

func (b *timely) Read(p []byte) (int, error) {
	b.extend()
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		// Whoever handles the request may take as long as it likes; the deadline
		// would end it, because the connection is watched for the client's leaving.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
