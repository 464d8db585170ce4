package core

import (
	"fmt"
	"strings"
)

// Statuses of pools, queues, deployments and workers.
const (
	Ready        = "READY"
	NotReady     = "NOT_READY"
	StatusPaused = "PAUSED"
	Online       = "ONLINE"
	Offline      = "OFFLINE"
)

type WorkPool struct {
	ID                   UUID    `json:"id"`
	Created              Time    `json:"created"`
	Updated              Time    `json:"updated"`
	Name                 string  `json:"name"`
	Description          *string `json:"description"`
	Type                 string  `json:"type"`
	BaseJobTemplate      JSON    `json:"base_job_template"`
	IsPaused             bool    `json:"is_paused"`
	ConcurrencyLimit     *int64  `json:"concurrency_limit"`
	Status               *string `json:"status"`
	DefaultQueueID       UUID    `json:"default_queue_id"`
	StorageConfiguration JSON    `json:"storage_configuration"`
}

// HasCommand says whether the pool's template can start runs whose deployment
// has neither an entrypoint nor a command of its own.
func (p *WorkPool) HasCommand() bool {
	template := p.BaseJobTemplate.Map()
	config, _ := template["job_configuration"].(map[string]any)
	variables, _ := template["variables"].(map[string]any)
	properties, _ := variables["properties"].(map[string]any)
	command, _ := properties["command"].(map[string]any)
	if isCommand(command["default"]) {
		return true
	}
	text, _ := config["command"].(string)
	return isCommand(config["command"]) && strings.Join(strings.Fields(text), "") != "{{command}}"
}

type WorkPoolCreate struct {
	Name                 string  `json:"name"`
	Description          *string `json:"description,omitempty"`
	Type                 string  `json:"type,omitempty"`
	BaseJobTemplate      JSON    `json:"base_job_template,omitempty"`
	IsPaused             bool    `json:"is_paused,omitempty"`
	ConcurrencyLimit     *int64  `json:"concurrency_limit,omitempty"`
	StorageConfiguration JSON    `json:"storage_configuration,omitempty"`
}

type WorkPoolUpdate struct {
	Description          Opt[string] `json:"description,omitzero"`
	IsPaused             Opt[bool]   `json:"is_paused,omitzero"`
	BaseJobTemplate      Opt[JSON]   `json:"base_job_template,omitzero"`
	ConcurrencyLimit     Opt[int64]  `json:"concurrency_limit,omitzero"`
	StorageConfiguration Opt[JSON]   `json:"storage_configuration,omitzero"`
}

type WorkPoolFilter struct {
	Operator Operator    `json:"operator,omitempty"`
	ID       *IDFilter   `json:"id,omitempty"`
	Name     *TextFilter `json:"name,omitempty"`
	Type     *TextFilter `json:"type,omitempty"`
}

// DefaultPool is the work pool of deployments that name none.
const DefaultPool = "default"

// Types of pools whose runs flowlite's own workers execute, as processes of
// their machine. PoolAgent is the type of a pool that was made without one: its
// runs were for agents, which Prefect has given up for workers.
const (
	PoolProcess = "process"
	PoolAgent   = "prefect-agent"
)

// OwnWorkers reports whether flowlite's own workers execute the pool's runs.
func (p *WorkPool) OwnWorkers() bool {
	return p.Type == PoolProcess || p.Type == PoolAgent || p.Type == ""
}

// WorkerCommand is the command that starts a worker for the pool. It is empty
// for push and managed pools, which no worker serves, but Prefect Cloud.
func (p *WorkPool) WorkerCommand() string {
	switch {
	case p.OwnWorkers():
		return ShellCommand("flowlite", "worker", "start", "--pool", p.Name)
	case strings.HasSuffix(p.Type, ":push"), strings.HasSuffix(p.Type, ":managed"):
		return ""
	}
	return ShellCommand("prefect", "worker", "start", "--pool", p.Name, "--type", p.Type)
}

// Executors says who executes the runs of a pool that is not for flowlite's own
// workers; it is empty if they do.
func (p *WorkPool) Executors() string {
	switch {
	case p.OwnWorkers():
		return ""
	case p.WorkerCommand() == "":
		return "Only Prefect Cloud executes runs of type " + p.Type + ". Create a pool of type process to run flows here."
	}
	return "A Prefect worker of type " + p.Type + " must execute its runs. flowlite's own workers execute pools of type process."
}

// CheckOwnWorkers returns EInvalid if flowlite's own workers do not execute the
// pool's runs; the error says who does.
func (p *WorkPool) CheckOwnWorkers() error {
	if p.OwnWorkers() {
		return nil
	}
	what := fmt.Sprintf("work pool %q is of type %s, and flowlite's own workers execute pools of type process", p.Name, p.Type)
	if start := p.WorkerCommand(); start != "" {
		return Errorf(EInvalid, "%s; start a worker of that type: %s", what, start)
	}
	return Errorf(EInvalid, "%s; only Prefect Cloud executes runs of type %s: create a pool of type process, and deploy to that", what, p.Type)
}

// DefaultAgentPool holds the queues that are made without naming a pool.
const DefaultAgentPool = "default-agent-pool"

// ProcessTemplate is the base job template of pools of type process.
var ProcessTemplate = JSON(`{
  "job_configuration": {"command": "{{ command }}", "env": "{{ env }}", "working_dir": "{{ working_dir }}", "name": "{{ name }}", "labels": "{{ labels }}", "stream_output": "{{ stream_output }}"},
  "variables": {"type": "object", "properties": {
    "command": {"type": "string", "title": "Command", "description": "What to run instead of the flow's entrypoint; a shell line."},
    "env": {"type": "object", "title": "Environment", "description": "Environment variables of the process.", "additionalProperties": {"type": "string"}},
    "working_dir": {"type": "string", "title": "Working directory", "description": "Where the process starts; the deployment's path by default."},
    "name": {"type": "string", "title": "Name", "description": "Name given to the process."},
    "labels": {"type": "object", "title": "Labels", "additionalProperties": {"type": "string"}},
    "stream_output": {"type": "boolean", "title": "Stream output", "default": true, "description": "Whether the process's output becomes logs of the run."}
  }}
}`)
