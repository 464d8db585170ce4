package api

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// PeerVersion is the version of Prefect whose API this is.
const PeerVersion = "3.4.9"

// newestClient is the newest Prefect client that the tests run.
const newestClient = "3.9.1"

var prefectAgent = regexp.MustCompile(`^prefect/((\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[A-Za-z.+-][0-9A-Za-z.+-]{0,40})?)(?: |$)`)

// prefectVersion is the version that a Prefect client names in its User-Agent, as text
// and as major, minor, and patch version; "" for other clients.
func prefectVersion(r *http.Request) (text string, number [3]int) {
	if agent := r.Header["User-Agent"]; len(agent) > 0 && strings.HasPrefix(agent[0], "prefect/") {
		if m := prefectAgent.FindStringSubmatch(agent[0]); m != nil {
			text = m[1]
			for i := range number {
				number[i], _ = strconv.Atoi(m[2+i]) // a version without a patch has patch 0
			}
		}
	}
	return text, number
}

// version answers with the version of Prefect that this server is for the client. A
// client gives up on a server of another major version and warns of one that is older
// than itself, so that a newer client of version 3 is answered its own. The check that
// newer clients make before they open a websocket names httpx instead of a version.
func (a *API) version(ctx context.Context, _ *struct{}) (string, error) {
	r := requestOf(ctx)
	if text, v := prefectVersion(r); v[0] == 3 && (v[1] > 4 || v[1] == 4 && v[2] > 9) {
		return text, nil
	}
	if strings.HasPrefix(r.UserAgent(), "python-httpx/") {
		return newestClient, nil
	}
	return PeerVersion, nil
}
