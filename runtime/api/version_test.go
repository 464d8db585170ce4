package api

import "testing"

// No Prefect client of version 3 is told that the server is older than itself.
func TestVersionFollowsTheClient(t *testing.T) {
	w := memory(t)
	for agent, want := range map[string]string{
		"curl/8":                                    PeerVersion,
		"prefect/3.4.9 (API 0.8.4)":                 PeerVersion,
		"prefect/3.0.1 (API 0.8.4)":                 PeerVersion,
		"prefect/2.20.4 (API 0.8.4)":                PeerVersion,
		"prefect/4.0.0 (API 0.9.0)":                 PeerVersion,
		"prefect/3.4.10 (API 0.8.4)":                "3.4.10",
		"prefect/3.8.8 (API 0.8.4)":                 "3.8.8",
		"prefect/3.9.1":                             "3.9.1",
		"prefect/3.10.0.dev2+3.gabc123 (API 0.8.4)": "3.10.0.dev2+3.gabc123",
		"prefect/3.9<b>":                            PeerVersion,
		"prefect/3.99999999999999999999.1":          PeerVersion,
		"prefect/":                                  PeerVersion,
		"python-httpx/0.28.1":                       newestClient,
	} {
		w.agent = agent
		if got := w.do(200, "GET", "/admin/version", nil); got != want {
			t.Errorf("%s is answered %v, want %s", agent, got, want)
		}
	}
}
