package core

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
)

// Deployment is a flow with a place to run, parameters and schedules.
type Deployment struct {
	ID                       UUID                    `json:"id"`
	Created                  Time                    `json:"created"`
	Updated                  Time                    `json:"updated"`
	Name                     string                  `json:"name"`
	Version                  *string                 `json:"version"`
	Description              *string                 `json:"description"`
	FlowID                   UUID                    `json:"flow_id"`
	Paused                   bool                    `json:"paused"`
	Schedules                []*Schedule             `json:"schedules"`
	ConcurrencyLimit         *int64                  `json:"concurrency_limit"` // always null in answers
	GlobalConcurrencyLimit   *GlobalConcurrencyLimit `json:"global_concurrency_limit"`
	ConcurrencyOptions       *ConcurrencyOptions     `json:"concurrency_options"`
	JobVariables             JSON                    `json:"job_variables"`
	Parameters               JSON                    `json:"parameters"`
	Tags                     Tags                    `json:"tags"`
	Labels                   JSON                    `json:"labels"`
	WorkQueueName            *string                 `json:"work_queue_name"`
	LastPolled               Time                    `json:"last_polled"`
	ParameterOpenAPISchema   JSON                    `json:"parameter_openapi_schema"`
	Path                     *string                 `json:"path"`
	PullSteps                JSON                    `json:"pull_steps"`
	Entrypoint               *string                 `json:"entrypoint"`
	StorageDocumentID        UUID                    `json:"storage_document_id"`
	InfrastructureDocumentID UUID                    `json:"infrastructure_document_id"`
	CreatedBy                *CreatedBy              `json:"created_by"`
	UpdatedBy                *CreatedBy              `json:"updated_by"`
	WorkPoolName             *string                 `json:"work_pool_name"`
	Status                   string                  `json:"status"` // READY, NOT_READY
	EnforceParameterSchema   bool                    `json:"enforce_parameter_schema"`

	FlowName           string `json:"-"`
	WorkQueueID        UUID   `json:"-"`
	WorkPoolID         UUID   `json:"-"`
	ConcurrencyLimitID UUID   `json:"-"`
}

var pythonModule = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$`)

// Python says whether the entrypoint is a flow in Python: a function of a .py
// file, or of a module, which is written without a colon.
func (d *Deployment) Python() bool {
	text := Deref(d.Entrypoint)
	file, _, ok := strings.Cut(text, ":")
	if !ok {
		return pythonModule.MatchString(text)
	}
	return strings.EqualFold(filepath.Ext(file), ".py")
}

// Fetches names what the deployment says of fetching code, "pull steps" or "a
// storage block"; it is empty if workers have the code.
func (d *Deployment) Fetches() string {
	var steps []json.RawMessage
	_ = json.Unmarshal(d.PullSteps, &steps)
	switch {
	case len(steps) > 0:
		return "pull steps"
	case !d.StorageDocumentID.IsZero():
		return "a storage block"
	}
	return ""
}

// FullName is "flow/deployment".
func (d *Deployment) FullName() string { return d.FlowName + "/" + d.Name }

type ConcurrencyOptions struct {
	CollisionStrategy string `json:"collision_strategy"` // ENQUEUE, CANCEL_NEW
}

// DeploymentCreate upserts by (flow, name): omitted keys keep what is stored.
// Schedules that are given replace the stored ones; one that was there before,
// by its slug or else its rule, keeps its id and what is not given of it.
type DeploymentCreate struct {
	Name                     string                  `json:"name"`
	FlowID                   UUID                    `json:"flow_id"`
	Paused                   Opt[bool]               `json:"paused,omitzero"`
	Schedules                Opt[[]ScheduleCreate]   `json:"schedules,omitzero"`
	ConcurrencyLimit         Opt[int64]              `json:"concurrency_limit,omitzero"`
	GlobalConcurrencyLimitID Opt[UUID]               `json:"global_concurrency_limit_id,omitzero"`
	ConcurrencyOptions       Opt[ConcurrencyOptions] `json:"concurrency_options,omitzero"`
	EnforceParameterSchema   Opt[bool]               `json:"enforce_parameter_schema,omitzero"`
	ParameterOpenAPISchema   Opt[JSON]               `json:"parameter_openapi_schema,omitzero"`
	Parameters               Opt[JSON]               `json:"parameters,omitzero"`
	Tags                     Opt[Tags]               `json:"tags,omitzero"`
	Labels                   Opt[JSON]               `json:"labels,omitzero"`
	PullSteps                Opt[JSON]               `json:"pull_steps,omitzero"`
	WorkQueueName            Opt[string]             `json:"work_queue_name,omitzero"`
	WorkPoolName             Opt[string]             `json:"work_pool_name,omitzero"`
	StorageDocumentID        Opt[UUID]               `json:"storage_document_id,omitzero"`
	InfrastructureDocumentID Opt[UUID]               `json:"infrastructure_document_id,omitzero"`
	Description              Opt[string]             `json:"description,omitzero"`
	Path                     Opt[string]             `json:"path,omitzero"`
	Version                  Opt[string]             `json:"version,omitzero"`
	Entrypoint               Opt[string]             `json:"entrypoint,omitzero"`
	JobVariables             Opt[JSON]               `json:"job_variables,omitzero"`
	VersionInfo              Opt[JSON]               `json:"version_info,omitzero"`
}

// OwnCode makes the deployment one whose code its workers have: they find the
// entrypoint in their own working directory. What an earlier deployment of the
// name said of fetching code no longer holds.
func (c *DeploymentCreate) OwnCode(entrypoint string) {
	if entrypoint != "" {
		c.Entrypoint = Some(entrypoint)
	}
	c.Path, c.PullSteps, c.StorageDocumentID = Some("."), Some(JSON("[]")), Opt[UUID]{Set: true, Null: true}
}

// DeploymentUpdate changes the keys that are present.
type DeploymentUpdate struct {
	Version                  Opt[string]             `json:"version,omitzero"`
	Description              Opt[string]             `json:"description,omitzero"`
	Parameters               Opt[JSON]               `json:"parameters,omitzero"`
	Paused                   Opt[bool]               `json:"paused,omitzero"`
	Schedules                Opt[[]ScheduleUpdate]   `json:"schedules,omitzero"`
	ConcurrencyLimit         Opt[int64]              `json:"concurrency_limit,omitzero"`
	GlobalConcurrencyLimitID Opt[UUID]               `json:"global_concurrency_limit_id,omitzero"`
	ConcurrencyOptions       Opt[ConcurrencyOptions] `json:"concurrency_options,omitzero"`
	Tags                     Opt[Tags]               `json:"tags,omitzero"`
	Labels                   Opt[JSON]               `json:"labels,omitzero"`
	WorkQueueName            Opt[string]             `json:"work_queue_name,omitzero"`
	WorkPoolName             Opt[string]             `json:"work_pool_name,omitzero"`
	Path                     Opt[string]             `json:"path,omitzero"`
	JobVariables             Opt[JSON]               `json:"job_variables,omitzero"`
	PullSteps                Opt[JSON]               `json:"pull_steps,omitzero"`
	Entrypoint               Opt[string]             `json:"entrypoint,omitzero"`
	StorageDocumentID        Opt[UUID]               `json:"storage_document_id,omitzero"`
	InfrastructureDocumentID Opt[UUID]               `json:"infrastructure_document_id,omitzero"`
	EnforceParameterSchema   Opt[bool]               `json:"enforce_parameter_schema,omitzero"`
	ParameterOpenAPISchema   Opt[JSON]               `json:"parameter_openapi_schema,omitzero"`
	VersionInfo              Opt[JSON]               `json:"version_info,omitzero"`
}

type DeploymentFilter struct {
	Operator             Operator    `json:"operator,omitempty"`
	ID                   *IDFilter   `json:"id,omitempty"`
	Name                 *TextFilter `json:"name,omitempty"`
	FlowOrDeploymentName *TextFilter `json:"flow_or_deployment_name,omitempty"`
	Paused               *BoolFilter `json:"paused,omitempty"`
	Tags                 *TagFilter  `json:"tags,omitempty"`
	WorkQueueName        *TextFilter `json:"work_queue_name,omitempty"`
	ConcurrencyLimit     *IntFilter  `json:"concurrency_limit,omitempty"`
}

// DeploymentSorts are the sort orders of deployments; the first is the default.
var DeploymentSorts = []string{"NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"}
