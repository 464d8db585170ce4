package db

import "github.com/flowlite/flowlite/runtime/core"

// limits are those of the text columns that an index of PostgreSQL covers. The
// writes of tx check them; Copy does for rows that older versions have written.
var limits = map[string]*core.Limit{
	"flow.name":                       core.MaxFlowName,
	"flow_run.name":                   core.MaxFlowRunName,
	"flow_run.idempotency_key":        core.MaxFlowRunKey,
	"flow_run.state_name":             core.MaxStateName,
	"flow_run_tag.tag":                core.MaxFlowRunTag,
	"flow_run_input.key":              core.MaxFlowRunInputKey,
	"flow_run_input.received_by":      core.MaxMessageReceiver,
	"flow_run_stream.key":             core.MaxStreamKey,
	"flow_run_stream.source":          core.MaxStreamSource,
	"task_run.task_key":               core.MaxTaskKey,
	"task_run.dynamic_key":            core.MaxTaskDynamicKey,
	"task_run.state_name":             core.MaxStateName,
	"task_run_cache.cache_key":        core.MaxTaskCacheKey,
	"task_queue.task_key":             core.MaxTaskKey,
	"deployment.name":                 core.MaxDeploymentName,
	"schedule.slug":                   core.MaxScheduleSlug,
	"work_pool.name":                  core.MaxWorkPoolName,
	"work_queue.name":                 core.MaxWorkQueueName,
	"worker.name":                     core.MaxWorkerName,
	"global_limit.name":               core.MaxConcurrencyLimitName,
	"artifact.key":                    core.MaxArtifactKey,
	"artifact.call":                   core.MaxArtifactCall,
	"artifact_collection.key":         core.MaxArtifactKey,
	"variable.name":                   core.MaxVariableName,
	"event.event_resource_id":         core.MaxEventResourceID,
	"block_type.name":                 core.MaxBlockTypeName,
	"block_type.slug":                 core.MaxBlockTypeSlug,
	"block_schema.checksum":           core.MaxBlockSchemaSum,
	"block_schema.version":            core.MaxBlockSchemaVersion,
	"block_document.name":             core.MaxBlockDocumentName,
	"block_document_reference.name":   core.MaxBlockReferenceName,
	"automation.owner_resource":       core.MaxAutomationOwner,
	"automation_bucket.bucketing_key": core.MaxBucketKey,
	"saved_search.name":               core.MaxSavedSearchName,
	"result.key":                      core.MaxResultKey,
}
