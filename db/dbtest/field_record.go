package dbtest

import (
	"reflect"

	"github.com/flowlite/flowlite/runtime/core"
)

// The records of core, with each way to write and to read them.
func init() { //nolint:gochecknoinits // a table whose functions call back into the suite
	fieldTests = map[string]func(s *suite) []string{
		"Flow": flowFields, "FlowRun": flowRunFields, "FlowRunInput": inputFields, "RunMessage": messageFields, "Webhook": webhookFields, "TaskRun": taskRunFields, "State": stateFields,
		"SavedSearch": searchFields, "Deployment": deploymentFields, "Schedule": scheduleFields, "WorkPool": poolFields,
		"WorkQueue": queueFields, "Worker": workerFields, "Lease": leaseFields, "Log": logFields, "Event": eventFields,
		"Artifact": artifactFields, "ArtifactCollection": collectionFields, "Variable": variableFields,
		"GlobalConcurrencyLimit": limitFields, "SlotLease": slotLeaseFields, "Automation": automationFields,
		"Bucket": bucketFields, "ChildFiring": firingFields, "DueAction": actionFields, "BlockType": blockTypeFields,
		"BlockSchema": blockSchemaFields, "BlockDocument": blockDocumentFields,
	}
}

func flowFields(s *suite) []string {
	return record[core.Flow]{
		insert: map[string]func(core.Tx, *core.Flow) error{
			"UpsertFlow": func(tx core.Tx, f *core.Flow) error { _, _, err := tx.UpsertFlow(s.ctx, f); return err },
		},
		update: map[string]change[core.Flow]{
			"UpdateFlow": {func(tx core.Tx, f *core.Flow) error { return tx.UpdateFlow(s.ctx, f) }, []string{"Created", "Name"}},
		},
		read: map[string]func(core.Reader, *core.Flow) (*core.Flow, error){
			"Flow":       func(r core.Reader, f *core.Flow) (*core.Flow, error) { return r.Flow(s.ctx, f.ID) },
			"FlowByName": func(r core.Reader, f *core.Flow) (*core.Flow, error) { return r.FlowByName(s.ctx, f.Name) },
		},
	}.test(s)
}

func flowRunFields(s *suite) []string {
	flow := s.flow("of run fields")
	pool, queue := s.pool("of run fields")
	other := s.newRun(flow, core.Pending, nil)
	other.State = nil // its history has it
	return record[core.FlowRun]{
		given: func(f *core.FlowRun) {
			f.FlowID, f.WorkQueueID, f.WorkPoolID = flow.ID, queue.ID, pool.ID
			f.WorkQueueName, f.WorkPoolName = &queue.Name, &pool.Name
			f.State = s.filledState(core.Running) // not final: a run that has ended leaves the cache
		},
		insert: map[string]func(core.Tx, *core.FlowRun) error{
			"InsertFlowRun": func(tx core.Tx, f *core.FlowRun) error { _, err := tx.InsertFlowRun(s.ctx, f); return err },
			"InsertFlowRuns": func(tx core.Tx, f *core.FlowRun) error {
				_, err := tx.InsertFlowRuns(s.ctx, []*core.FlowRun{f})
				return err
			},
		},
		update: map[string]change[core.FlowRun]{
			"UpdateFlowRun": {
				func(tx core.Tx, f *core.FlowRun) error { return tx.UpdateFlowRun(s.ctx, f) },
				[]string{
					"Created", "StateID", "DeploymentID", "DeploymentVersion", "IdempotencyKey", "ParentTaskRunID",
					"StateType", "StateName", "StateTimestamp", "State", "RunCount", "ExpectedStartTime", "NextScheduledStartTime",
					"StartTime", "EndTime", "TotalRunTime", "AutoScheduled", "InfrastructureDocumentID", "CreatedBy", "Recoveries",
					"Slot",
				},
			},
			"SetFlowRunState": {
				func(tx core.Tx, f *core.FlowRun) error { return tx.SetFlowRunState(s.ctx, f) },
				[]string{
					"Created", "Name", "DeploymentID", "DeploymentVersion", "FlowVersion", "Parameters", "IdempotencyKey", "Context",
					"Tags", "Labels", "ParentTaskRunID", "ExpectedStartTime", "AutoScheduled", "InfrastructureDocumentID",
					"CreatedBy", "JobVariables", "Priority", "Slot",
				},
			},
			"SetFlowRunStates": {
				func(tx core.Tx, f *core.FlowRun) error { return tx.SetFlowRunStates(s.ctx, []*core.FlowRun{other, f}) },
				[]string{
					"Created", "Name", "DeploymentID", "DeploymentVersion", "FlowVersion", "Parameters", "IdempotencyKey", "Context",
					"Tags", "Labels", "ParentTaskRunID", "ExpectedStartTime", "AutoScheduled", "InfrastructureDocumentID",
					"CreatedBy", "JobVariables", "Priority", "Slot",
				},
			},
			"SetSlot": {
				func(tx core.Tx, f *core.FlowRun) error { return tx.SetSlot(s.ctx, f.ID, *f.Slot) },
				allBut[core.FlowRun]("Slot"),
			},
		},
		read: map[string]func(core.Reader, *core.FlowRun) (*core.FlowRun, error){
			"FlowRun": func(r core.Reader, f *core.FlowRun) (*core.FlowRun, error) { return r.FlowRun(s.ctx, f.ID) },
			"FlowRunByKey": func(r core.Reader, f *core.FlowRun) (*core.FlowRun, error) {
				return r.FlowRunByKey(s.ctx, f.FlowID, *f.IdempotencyKey)
			},
			"FlowRunsByIDs": func(r core.Reader, f *core.FlowRun) (*core.FlowRun, error) {
				return one(r.FlowRunsByIDs(s.ctx, []core.UUID{f.ID}))
			},
			"FlowRunState": func(r core.Reader, f *core.FlowRun) (*core.FlowRun, error) {
				v := *f
				var err error
				v.State, err = r.FlowRunState(s.ctx, f.StateID)
				return &v, err
			},
		},
		lock: func(tx core.Tx, f *core.FlowRun) (*core.FlowRun, error) { return tx.LockFlowRun(s.ctx, f.ID) },
		// The estimates depend on the time of reading.
		other: []string{"EstimatedRunTime", "EstimatedStartTimeDelta"},
	}.test(s)
}

func (s *suite) filledState(t core.StateType) *core.State {
	x := &core.State{Type: t}
	fill(s, reflect.ValueOf(x).Elem())
	return x
}

// ofState sets what RecordTaskRun takes from the newest state of a report.
func ofState(x *core.TaskRun) {
	x.StateID, x.StateType, x.StateName, x.StateTimestamp = x.State.ID, x.State.Type, x.State.Name, x.State.Timestamp
}

func inputFields(s *suite) []string {
	run := s.newRun(s.flow("of input fields"), core.Running, nil)
	return record[core.FlowRunInput]{
		given: func(x *core.FlowRunInput) { x.FlowRunID = run.ID },
		insert: map[string]func(core.Tx, *core.FlowRunInput) error{
			"InsertFlowRunInput": func(tx core.Tx, x *core.FlowRunInput) error { return tx.InsertFlowRunInput(s.ctx, x) },
		},
		read: map[string]func(core.Reader, *core.FlowRunInput) (*core.FlowRunInput, error){
			"FlowRunInput": func(r core.Reader, x *core.FlowRunInput) (*core.FlowRunInput, error) {
				return r.FlowRunInput(s.ctx, x.FlowRunID, x.Key)
			},
			"FlowRunInputs": func(r core.Reader, x *core.FlowRunInput) (*core.FlowRunInput, error) {
				return one(r.FlowRunInputs(s.ctx, x.FlowRunID, x.Key, nil, 0))
			},
		},
	}.test(s)
}

func messageFields(s *suite) []string {
	run := s.newRun(s.flow("of message fields"), core.Running, nil)
	return record[core.RunMessage]{
		insert: map[string]func(core.Tx, *core.RunMessage) error{
			"InsertMessage": func(tx core.Tx, x *core.RunMessage) error { return tx.InsertMessage(s.ctx, run.ID, x) },
		},
		read: map[string]func(core.Reader, *core.RunMessage) (*core.RunMessage, error){
			"WaitingMessage": func(r core.Reader, x *core.RunMessage) (*core.RunMessage, error) {
				return r.WaitingMessage(s.ctx, run.ID, []string{x.Topic})
			},
		},
	}.test(s)
}

func webhookFields(s *suite) []string {
	run := s.newRun(s.flow("of webhook fields"), core.Running, nil)
	return record[core.Webhook]{
		given: func(x *core.Webhook) { x.FlowRunID = run.ID },
		insert: map[string]func(core.Tx, *core.Webhook) error{
			"InsertWebhook": func(tx core.Tx, x *core.Webhook) error {
				x.Used = 0 // a new one was not used
				return tx.InsertWebhook(s.ctx, x)
			},
		},
		read: map[string]func(core.Reader, *core.Webhook) (*core.Webhook, error){
			"Webhook": func(r core.Reader, x *core.Webhook) (*core.Webhook, error) { return r.Webhook(s.ctx, x.ID) },
			"WebhookByToken": func(r core.Reader, x *core.Webhook) (*core.Webhook, error) {
				return r.WebhookByToken(s.ctx, x.TokenHash)
			},
		},
	}.test(s)
}

func taskRunFields(s *suite) []string {
	run := s.newRun(s.flow("of task run fields"), core.Running, nil)
	return record[core.TaskRun]{
		given: func(x *core.TaskRun) {
			x.FlowRunID = run.ID
			x.State = s.filledState(core.Running)
		},
		insert: map[string]func(core.Tx, *core.TaskRun) error{
			"InsertTaskRun": func(tx core.Tx, x *core.TaskRun) error { _, err := tx.InsertTaskRun(s.ctx, x); return err },
			"RecordTaskRun": func(tx core.Tx, x *core.TaskRun) error {
				ofState(x)
				return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: x, States: []*core.State{x.State}})
			},
		},
		update: map[string]change[core.TaskRun]{
			"UpdateTaskRun": {
				func(tx core.Tx, x *core.TaskRun) error { return tx.UpdateTaskRun(s.ctx, x) },
				[]string{
					"Created", "TaskKey", "DynamicKey", "StateID", "StateType", "StateName", "StateTimestamp", "State", "RunCount",
					"FlowRunRunCount", "ExpectedStartTime", "NextScheduledStartTime", "StartTime", "EndTime", "TotalRunTime",
				},
			},
			"SetTaskRunState": {
				func(tx core.Tx, x *core.TaskRun) error { return tx.SetTaskRunState(s.ctx, x) },
				[]string{
					"Created", "Name", "TaskKey", "DynamicKey", "CacheKey", "CacheExpiration", "TaskVersion", "Tags", "Labels", "TaskInputs",
				},
			},
			"RecordTaskRun": {
				func(tx core.Tx, x *core.TaskRun) error {
					ofState(x)
					return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: x, States: []*core.State{x.State}})
				},
				[]string{"Created"},
			},
		},
		read: map[string]func(core.Reader, *core.TaskRun) (*core.TaskRun, error){
			"TaskRun": func(r core.Reader, x *core.TaskRun) (*core.TaskRun, error) { return r.TaskRun(s.ctx, x.ID) },
			"TaskRunByKey": func(r core.Reader, x *core.TaskRun) (*core.TaskRun, error) {
				return r.TaskRunByKey(s.ctx, x.FlowRunID, x.TaskKey, x.DynamicKey)
			},
			"TaskRunState": func(r core.Reader, x *core.TaskRun) (*core.TaskRun, error) {
				v := *x
				var err error
				v.State, err = r.TaskRunState(s.ctx, x.StateID)
				return &v, err
			},
		},
		lock:  func(tx core.Tx, x *core.TaskRun) (*core.TaskRun, error) { return tx.LockTaskRun(s.ctx, x.ID) },
		other: []string{"EstimatedRunTime", "EstimatedStartTimeDelta"},
	}.test(s)
}

func stateFields(s *suite) []string {
	put := func(tx core.Tx, x *core.State) error { return tx.PutCachedState(s.ctx, "of state fields", x) }
	return record[core.State]{
		given:  func(x *core.State) { x.Type = core.Completed },
		insert: map[string]func(core.Tx, *core.State) error{"PutCachedState": put},
		update: map[string]change[core.State]{"PutCachedState": {put, nil}},
		read: map[string]func(core.Reader, *core.State) (*core.State, error){
			"CachedState": func(r core.Reader, _ *core.State) (*core.State, error) {
				return r.CachedState(s.ctx, "of state fields", s.now)
			},
		},
	}.test(s)
}

func searchFields(s *suite) []string {
	put := func(tx core.Tx, x *core.SavedSearch) error { return tx.PutSavedSearch(s.ctx, x) }
	return record[core.SavedSearch]{
		given:  func(x *core.SavedSearch) { x.Name = "of search fields" },
		insert: map[string]func(core.Tx, *core.SavedSearch) error{"PutSavedSearch": put},
		update: map[string]change[core.SavedSearch]{"PutSavedSearch": {put, []string{"Created"}}},
		read: map[string]func(core.Reader, *core.SavedSearch) (*core.SavedSearch, error){
			"SavedSearch": func(r core.Reader, x *core.SavedSearch) (*core.SavedSearch, error) { return r.SavedSearch(s.ctx, x.ID) },
			"SavedSearchByName": func(r core.Reader, x *core.SavedSearch) (*core.SavedSearch, error) {
				return r.SavedSearchByName(s.ctx, x.Name)
			},
		},
	}.test(s)
}

func deploymentFields(s *suite) []string {
	flow := s.flow("of deployment fields")
	pool, queue := s.pool("of deployment fields")
	limit := &core.GlobalConcurrencyLimit{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "of deployment fields", Limit: 1}
	s.write(func(tx core.Tx) error { return tx.InsertGlobalLimit(s.ctx, limit) })
	return record[core.Deployment]{
		given: func(d *core.Deployment) {
			d.FlowID, d.FlowName, d.WorkQueueID, d.WorkQueueName = flow.ID, flow.Name, queue.ID, &queue.Name
			d.WorkPoolID, d.WorkPoolName, d.ConcurrencyLimitID = pool.ID, &pool.Name, limit.ID
		},
		insert: map[string]func(core.Tx, *core.Deployment) error{
			"InsertDeployment": func(tx core.Tx, d *core.Deployment) error { return tx.InsertDeployment(s.ctx, d) },
		},
		update: map[string]change[core.Deployment]{
			"UpdateDeployment": {func(tx core.Tx, d *core.Deployment) error { return tx.UpdateDeployment(s.ctx, d) }, []string{"Created", "CreatedBy"}},
		},
		read: map[string]func(core.Reader, *core.Deployment) (*core.Deployment, error){
			"Deployment": func(r core.Reader, d *core.Deployment) (*core.Deployment, error) { return r.Deployment(s.ctx, d.ID) },
			"DeploymentByName": func(r core.Reader, d *core.Deployment) (*core.Deployment, error) {
				return r.DeploymentByName(s.ctx, d.FlowName, d.Name)
			},
		},
		lock: func(tx core.Tx, d *core.Deployment) (*core.Deployment, error) { return tx.LockDeployment(s.ctx, d.ID) },
		// Schedules and limits are records of their own; ConcurrencyLimit is null in answers.
		other: []string{"Schedules", "GlobalConcurrencyLimit", "ConcurrencyLimit"},
	}.test(s)
}

func scheduleFields(s *suite) []string {
	d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "d", FlowID: s.flow("of schedule fields").ID, Status: core.Ready}
	s.write(func(tx core.Tx) error { return tx.InsertDeployment(s.ctx, d) })
	return record[core.Schedule]{
		given: func(x *core.Schedule) { x.DeploymentID = d.ID },
		insert: map[string]func(core.Tx, *core.Schedule) error{
			"InsertSchedule": func(tx core.Tx, x *core.Schedule) error { return tx.InsertSchedule(s.ctx, x) },
		},
		update: map[string]change[core.Schedule]{
			"UpdateSchedule": {func(tx core.Tx, x *core.Schedule) error { return tx.UpdateSchedule(s.ctx, x) }, []string{"Created"}},
		},
		read: map[string]func(core.Reader, *core.Schedule) (*core.Schedule, error){
			"Schedule":  func(r core.Reader, x *core.Schedule) (*core.Schedule, error) { return r.Schedule(s.ctx, x.ID) },
			"Schedules": func(r core.Reader, x *core.Schedule) (*core.Schedule, error) { return one(r.Schedules(s.ctx, d.ID)) },
		},
	}.test(s)
}

func poolFields(s *suite) []string {
	return record[core.WorkPool]{
		insert: map[string]func(core.Tx, *core.WorkPool) error{
			"InsertWorkPool": func(tx core.Tx, x *core.WorkPool) error { return tx.InsertWorkPool(s.ctx, x) },
		},
		update: map[string]change[core.WorkPool]{
			"UpdateWorkPool": {func(tx core.Tx, x *core.WorkPool) error { return tx.UpdateWorkPool(s.ctx, x) }, []string{"Created", "Name"}},
		},
		read: map[string]func(core.Reader, *core.WorkPool) (*core.WorkPool, error){
			"WorkPool":       func(r core.Reader, x *core.WorkPool) (*core.WorkPool, error) { return r.WorkPool(s.ctx, x.ID) },
			"WorkPoolByName": func(r core.Reader, x *core.WorkPool) (*core.WorkPool, error) { return r.WorkPoolByName(s.ctx, x.Name) },
		},
		lock: func(tx core.Tx, x *core.WorkPool) (*core.WorkPool, error) { return tx.LockWorkPool(s.ctx, x.ID) },
	}.test(s)
}

func queueFields(s *suite) []string {
	pool, _ := s.pool("of queue fields")
	return record[core.WorkQueue]{
		given: func(x *core.WorkQueue) { x.WorkPoolID, x.WorkPoolName = pool.ID, &pool.Name },
		insert: map[string]func(core.Tx, *core.WorkQueue) error{
			"InsertWorkQueue": func(tx core.Tx, x *core.WorkQueue) error { return tx.InsertWorkQueue(s.ctx, x) },
		},
		update: map[string]change[core.WorkQueue]{
			"UpdateWorkQueue": {func(tx core.Tx, x *core.WorkQueue) error { return tx.UpdateWorkQueue(s.ctx, x) }, []string{"Created"}},
		},
		read: map[string]func(core.Reader, *core.WorkQueue) (*core.WorkQueue, error){
			"WorkQueue": func(r core.Reader, x *core.WorkQueue) (*core.WorkQueue, error) { return r.WorkQueue(s.ctx, x.ID) },
			"WorkQueueByName": func(r core.Reader, x *core.WorkQueue) (*core.WorkQueue, error) {
				return r.WorkQueueByName(s.ctx, pool.ID, x.Name)
			},
		},
	}.test(s)
}

func workerFields(s *suite) []string {
	pool, _ := s.pool("of worker fields")
	upsert := func(tx core.Tx, x *core.Worker) error { return tx.UpsertWorker(s.ctx, x) }
	return record[core.Worker]{
		given:  func(x *core.Worker) { x.WorkPoolID = pool.ID },
		insert: map[string]func(core.Tx, *core.Worker) error{"UpsertWorker": upsert},
		update: map[string]change[core.Worker]{"UpsertWorker": {upsert, []string{"Created", "Name"}}},
		read: map[string]func(core.Reader, *core.Worker) (*core.Worker, error){
			"Worker": func(r core.Reader, x *core.Worker) (*core.Worker, error) { return r.Worker(s.ctx, pool.ID, x.Name) },
		},
	}.test(s)
}

func leaseFields(s *suite) []string {
	run := s.newRun(s.flow("of lease fields"), core.Running, nil)
	other := &core.Lease{FlowRunID: s.newRun(s.flow("of other lease"), core.Running, nil).ID, Holder: core.NewID(), Token: core.NewID(), Expires: s.now}
	put := func(tx core.Tx, x *core.Lease) error { return tx.PutLease(s.ctx, x) }
	putAll := func(tx core.Tx, x *core.Lease) error { return tx.PutLeases(s.ctx, []*core.Lease{other, x}) }
	return record[core.Lease]{
		given:  func(x *core.Lease) { x.FlowRunID = run.ID },
		insert: map[string]func(core.Tx, *core.Lease) error{"PutLease": put, "PutLeases": putAll},
		update: map[string]change[core.Lease]{"PutLease": {put, nil}, "PutLeases": {putAll, nil}},
		read: map[string]func(core.Reader, *core.Lease) (*core.Lease, error){
			"Lease": func(r core.Reader, _ *core.Lease) (*core.Lease, error) { return r.Lease(s.ctx, run.ID) },
		},
		lock: func(tx core.Tx, _ *core.Lease) (*core.Lease, error) {
			return one(tx.LockLeases(s.ctx, []core.UUID{run.ID}))
		},
		other: []string{"Auth"},
	}.test(s)
}
