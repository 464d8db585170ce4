package api

import (
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const hello = `{"type":"worker.hello.v1","id":"01a20780-509c-707e-86a4-613394998dd6","sent_at":"2026-11-23T08:22:59Z","payload":{"consumer_id":"01a20780-500d-7dac-84fe-38e674e59f02","worker_name":"wn","worker_type":"process","heartbeat_interval_seconds":30,"supported_channel_versions":["work_pool_worker_channel.v1"],"requested_capabilities":["worker_heartbeat.v1","work_pool_snapshot.v1","cleanup_delivery.v1"],"work_queue_names":[],"handled_cleanup_kinds":[],"max_cleanup_concurrency":0,"create_pool_if_not_found":true,"default_base_job_template":{"job_configuration":{"command":"{{ command }}"},"variables":{"type":"object","properties":{"command":{"type":"string"}}}},"worker_metadata":null}}`

func (w *fixture) channel(t *testing.T, pool, first string) *websocket.Conn {
	t.Helper()
	c := w.socket("/work_pools/" + pool + "/workers/connect")
	say(t, c, `{"type":"auth","token":null}`)
	equal(t, "greeting", hear(t, c)["type"], "auth_success")
	say(t, c, first)
	return c
}

// TestWorkerChannel is the channel that a worker of 3.8 keeps open.
func TestWorkerChannel(t *testing.T) {
	w := memory(t)
	c := w.channel(t, "fresh", hello)
	ready := hear(t, c)
	shaped(t, "worker_ready", ready)
	pool := w.get("/work_pools/fresh")
	equal(t, "pool", at(ready, "payload", "initial_snapshot", "work_pool", "id"), pool["id"])
	equal(t, "template", at(pool, "base_job_template", "job_configuration", "command"), "{{ command }}")
	equal(t, "queues", at(ready, "payload", "resolved_work_queues", 0, "id"), pool["default_queue_id"])
	equal(t, "refused", at(ready, "payload", "rejected_capabilities"), "[cleanup_delivery.v1]")
	equal(t, "worker", names(w.list("/work_pools/fresh/workers/filter", object{}), "name"), "[wn]")
	equal(t, "status", w.get("/work_pools/fresh")["status"], "READY")

	say(t, c, `{"type":"worker.heartbeat.v1","id":"01a20780-c62a-798e-b26c-12849941c4e1","sent_at":"2026-11-23T08:23:29Z","payload":{"consumer_id":"01a20780-500d-7dac-84fe-38e674e59f02","worker_name":"wn","heartbeat_interval_seconds":7}}`)
	w.do(204, "PATCH", "/work_pools/fresh", object{"concurrency_limit": 4})
	changed := hear(t, c)
	equal(t, "frame", changed["type"], "work_pool.snapshot.v1")
	equal(t, "sequence", at(changed, "payload", "snapshot_sequence"), 2)
	equal(t, "limit", at(changed, "payload", "work_pool", "concurrency_limit"), 4)
	// The heartbeat is taken beside the snapshots, so it may come a little later.
	var interval any
	for until := time.Now().Add(10 * time.Second); interval != 7.0 && time.Now().Before(until); time.Sleep(time.Millisecond) {
		interval = w.list("/work_pools/fresh/workers/filter", object{})[0]["heartbeat_interval_seconds"]
	}
	equal(t, "interval", interval, 7)

	w.do(204, "DELETE", "/work_pools/fresh", nil)
	ends(t, c, websocket.StatusPolicyViolation, notYours)
}

func TestWorkerChannelProtocol(t *testing.T) {
	w := memory(t)
	for _, c := range []struct {
		first, reason string
		code          websocket.StatusCode
	}{
		{`{"type":"nonsense"}`, protocolFault, websocket.StatusProtocolError},
		{`{`, protocolFault, websocket.StatusProtocolError},
		{strings.Replace(hello, `"worker_name":"wn"`, `"worker_name":""`, 1), protocolFault, websocket.StatusProtocolError},
		{strings.Replace(hello, "work_pool_worker_channel.v1", "work_pool_worker_channel.v9", 1), unknownVersion, websocket.StatusPolicyViolation},
		{strings.Replace(hello, `"worker_heartbeat.v1",`, "", 1), protocolFault, websocket.StatusProtocolError},
		{strings.Replace(hello, `"create_pool_if_not_found":true`, `"create_pool_if_not_found":false`, 1), notYours, websocket.StatusPolicyViolation},
	} {
		ends(t, w.channel(t, "none", c.first), c.code, c.reason)
	}
	c := w.channel(t, "some", hello)
	hear(t, c)
	say(t, c, `{"type":"worker.hello.v1"}`)
	ends(t, c, websocket.StatusProtocolError, protocolFault)
}
