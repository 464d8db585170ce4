package ui

import (
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

// prefectAddresses are those that Prefect's client and CLI print: each goes to
// our page of the same thing.
func (u *UI) prefectAddresses(get func(path string, h handler)) {
	to := func(prefix, key string) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			path := prefix
			if key != "" {
				path += "/" + core.PathSegment(r.PathValue(key))
			}
			return u.redirect(w, r, path)
		}
	}
	get("/runs/flow-run/{id}", to("/flow-runs", "id"))
	get("/runs/task-run/{id}", to("/task-runs", "id"))
	get("/flows/flow/{id}", to("/flows", "id"))
	get("/work-pools/work-pool/{name}", to("/work-pools", "name"))
	get("/work-pools/work-pool/{name}/worker/{worker}", to("/work-pools", "name"))
	get("/work-pools/work-pool/{name}/queue/{queue}", to("/work-pools", "name"))
	get("/work-queues/work-queue/{id}", u.queueAddress)
	get("/artifacts/artifact/{id}", to("/artifacts", "id"))
	get("/concurrency-limits/concurrency-limit/{id}", to("/concurrency", "id"))
	get("/automations/automation/{id}", to("/automations", "id"))
	get("/blocks/block/{id}", to("/blocks", "id"))
	get("/events/event/{occurred}/{id}", to("/events", "id"))
}

// queueAddress goes to the pool that has the queue.
func (u *UI) queueAddress(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Work queue")
	if err != nil {
		return err
	}
	q, err := u.Store.WorkQueue(r.Context(), id)
	if err != nil {
		return err
	}
	return u.redirect(w, r, "/work-pools/"+core.PathSegment(core.Deref(q.WorkPoolName)))
}
