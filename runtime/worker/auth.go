package worker

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

const (
	flowliteAuth  = "FLOWLITE_AUTH_STRING"
	prefectAuth   = "PREFECT_API_AUTH_STRING"
	prefectKey    = "PREFECT_API_KEY"
	customHeaders = "PREFECT_CLIENT_CUSTOM_HEADERS"
)

// authenticate gives a run its own auth string. One that job variables set stays,
// and holds for the clients of flowlite and of Prefect alike.
func authenticate(env map[string]string, own string) {
	for _, name := range []string{flowliteAuth, prefectAuth, prefectKey} {
		if given := env[name]; given != "" {
			own = given
			break
		}
	}
	if own != "" && env[flowliteAuth] == "" {
		env[flowliteAuth] = own
	}
}

// authenticatePrefect tells Prefect's clients what authenticate has decided. The
// header is for what sends no other credentials: the events of Prefect 3.4, and a
// fork of a warm parent, whose settings were read before the run was known.
func authenticatePrefect(env map[string]string) {
	auth := env[flowliteAuth]
	if auth == "" {
		return
	}
	if env[prefectAuth] == "" && env[prefectKey] == "" {
		env[prefectAuth] = auth
	}
	headers := map[string]string{}
	if text := env[customHeaders]; text != "" && json.Unmarshal([]byte(text), &headers) != nil {
		return // Prefect says what is wrong with it
	}
	for name := range headers {
		if strings.EqualFold(name, "Authorization") {
			return
		}
	}
	headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(auth))
	text, _ := json.Marshal(headers)
	env[customHeaders] = string(text)
}
