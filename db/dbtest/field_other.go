package dbtest

import (
	"github.com/flowlite/flowlite/runtime/core"
)

func logFields(s *suite) []string {
	return record[core.Log]{
		insert: map[string]func(core.Tx, *core.Log) error{
			"InsertLogs": func(tx core.Tx, x *core.Log) error { return tx.InsertLogs(s.ctx, []*core.Log{x}) },
		},
		read: map[string]func(core.Reader, *core.Log) (*core.Log, error){
			"Logs": func(r core.Reader, x *core.Log) (*core.Log, error) {
				return one(r.Logs(s.ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{x.FlowRunID}}}, core.Page{}))
			},
		},
		other: []string{"Updated"}, // log entries do not change
	}.test(s)
}

func eventFields(s *suite) []string {
	return record[core.Event]{
		given: func(x *core.Event) {
			x.Resource = map[string]string{"prefect.resource.id": "a." + core.NewID().String()}
			x.Related = []map[string]string{{"prefect.resource.id": "b.1", "prefect.resource.role": "flow"}}
		},
		insert: map[string]func(core.Tx, *core.Event) error{
			"InsertEvents": func(tx core.Tx, x *core.Event) error { _, err := tx.InsertEvents(s.ctx, []*core.Event{x}); return err },
			"AddEvents":    func(tx core.Tx, x *core.Event) error { return tx.AddEvents(s.ctx, []*core.Event{x}) },
		},
		read: map[string]func(core.Reader, *core.Event) (*core.Event, error){
			"Events": func(r core.Reader, x *core.Event) (*core.Event, error) {
				return one(r.Events(s.ctx, &core.EventFilter{Resource: &core.EventResource{ID: []string{x.Resource["prefect.resource.id"]}}}, core.Page{}))
			},
		},
	}.test(s)
}

func artifactFields(s *suite) []string {
	return record[core.Artifact]{
		insert: map[string]func(core.Tx, *core.Artifact) error{
			"InsertArtifact": func(tx core.Tx, x *core.Artifact) error { return tx.InsertArtifact(s.ctx, x) },
		},
		update: map[string]change[core.Artifact]{
			"UpdateArtifact": {
				func(tx core.Tx, x *core.Artifact) error { return tx.UpdateArtifact(s.ctx, x) },
				[]string{"Created", "Key", "Type", "FlowRunID", "TaskRunID", "Call"},
			},
		},
		read: map[string]func(core.Reader, *core.Artifact) (*core.Artifact, error){
			"Artifact": func(r core.Reader, x *core.Artifact) (*core.Artifact, error) { return r.Artifact(s.ctx, x.ID) },
		},
	}.test(s)
}

// collectionFields holds that a collection shows what its latest artifact does.
func collectionFields(s *suite) []string {
	latest := &core.Artifact{}
	insert := func(tx core.Tx, x *core.ArtifactCollection) error {
		latest = &core.Artifact{
			ID: x.LatestID, Created: x.Created, Updated: x.Updated, Key: &x.Key, Type: x.Type, Description: x.Description, Data: x.Data,
			Metadata: x.Metadata, FlowRunID: x.FlowRunID, TaskRunID: x.TaskRunID,
		}
		return tx.InsertArtifact(s.ctx, latest)
	}
	return record[core.ArtifactCollection]{
		given:  func(x *core.ArtifactCollection) { x.Key = "of collection fields" },
		insert: map[string]func(core.Tx, *core.ArtifactCollection) error{"InsertArtifact": insert},
		update: map[string]change[core.ArtifactCollection]{"InsertArtifact": {insert, []string{"Created"}}},
		read: map[string]func(core.Reader, *core.ArtifactCollection) (*core.ArtifactCollection, error){
			"ArtifactCollection": func(r core.Reader, x *core.ArtifactCollection) (*core.ArtifactCollection, error) {
				return r.ArtifactCollection(s.ctx, x.Key)
			},
		},
		other: []string{"ID"}, // made by the store
	}.test(s)
}

func variableFields(s *suite) []string {
	return record[core.Variable]{
		insert: map[string]func(core.Tx, *core.Variable) error{
			"InsertVariable": func(tx core.Tx, x *core.Variable) error { return tx.InsertVariable(s.ctx, x) },
		},
		update: map[string]change[core.Variable]{
			"UpdateVariable": {func(tx core.Tx, x *core.Variable) error { return tx.UpdateVariable(s.ctx, x) }, []string{"Created"}},
		},
		read: map[string]func(core.Reader, *core.Variable) (*core.Variable, error){
			"Variable":       func(r core.Reader, x *core.Variable) (*core.Variable, error) { return r.Variable(s.ctx, x.ID) },
			"VariableByName": func(r core.Reader, x *core.Variable) (*core.Variable, error) { return r.VariableByName(s.ctx, x.Name) },
		},
	}.test(s)
}

func limitFields(s *suite) []string {
	return record[core.GlobalConcurrencyLimit]{
		insert: map[string]func(core.Tx, *core.GlobalConcurrencyLimit) error{
			"InsertGlobalLimit": func(tx core.Tx, x *core.GlobalConcurrencyLimit) error { return tx.InsertGlobalLimit(s.ctx, x) },
		},
		update: map[string]change[core.GlobalConcurrencyLimit]{
			"UpdateGlobalLimit": {func(tx core.Tx, x *core.GlobalConcurrencyLimit) error { return tx.UpdateGlobalLimit(s.ctx, x) }, []string{"Created"}},
		},
		read: map[string]func(core.Reader, *core.GlobalConcurrencyLimit) (*core.GlobalConcurrencyLimit, error){
			"GlobalLimit": func(r core.Reader, x *core.GlobalConcurrencyLimit) (*core.GlobalConcurrencyLimit, error) {
				return r.GlobalLimit(s.ctx, x.ID)
			},
			"GlobalLimitByName": func(r core.Reader, x *core.GlobalConcurrencyLimit) (*core.GlobalConcurrencyLimit, error) {
				return r.GlobalLimitByName(s.ctx, x.Name)
			},
		},
		lock: func(tx core.Tx, x *core.GlobalConcurrencyLimit) (*core.GlobalConcurrencyLimit, error) {
			return one(tx.LockGlobalLimits(s.ctx, []string{x.Name}))
		},
	}.test(s)
}

func slotLeaseFields(s *suite) []string {
	limit := &core.GlobalConcurrencyLimit{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "of slot lease fields", Limit: 9}
	s.write(func(tx core.Tx) error { return tx.InsertGlobalLimit(s.ctx, limit) })
	put := func(tx core.Tx, x *core.SlotLease) error { return tx.PutSlotLease(s.ctx, x) }
	return record[core.SlotLease]{
		given:  func(x *core.SlotLease) { x.Limits = []core.UUID{limit.ID} },
		insert: map[string]func(core.Tx, *core.SlotLease) error{"PutSlotLease": put},
		update: map[string]change[core.SlotLease]{"PutSlotLease": {put, []string{"Created"}}},
		read: map[string]func(core.Reader, *core.SlotLease) (*core.SlotLease, error){
			"SlotLease": func(r core.Reader, x *core.SlotLease) (*core.SlotLease, error) { return r.SlotLease(s.ctx, x.ID) },
		},
	}.test(s)
}

func automationFields(s *suite) []string {
	return record[core.Automation]{
		given: func(x *core.Automation) { // stored as JSON
			x.Trigger = &core.Trigger{
				Type: core.TriggerEvent, ID: core.NewID(), Expect: []string{core.NewID().String()}, Posture: core.Reactive,
				Threshold: core.Ptr(int64(1)), Within: core.Ptr(core.Seconds(1)),
			}
			for _, list := range []*[]*core.AutomationAction{&x.Actions, &x.ActionsOnTrigger, &x.ActionsOnResolve} {
				*list = []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: core.NewID()}}
			}
		},
		insert: map[string]func(core.Tx, *core.Automation) error{
			"InsertAutomation": func(tx core.Tx, x *core.Automation) error { return tx.InsertAutomation(s.ctx, x) },
		},
		update: map[string]change[core.Automation]{
			"UpdateAutomation": {
				func(tx core.Tx, x *core.Automation) error { return tx.UpdateAutomation(s.ctx, x) },
				[]string{"Created", "OwnerResource"},
			},
		},
		read: map[string]func(core.Reader, *core.Automation) (*core.Automation, error){
			"Automation":     func(r core.Reader, x *core.Automation) (*core.Automation, error) { return r.Automation(s.ctx, x.ID) },
			"AllAutomations": func(r core.Reader, _ *core.Automation) (*core.Automation, error) { return one(r.AllAutomations(s.ctx)) },
		},
		lock: func(tx core.Tx, x *core.Automation) (*core.Automation, error) { return tx.LockAutomation(s.ctx, x.ID) },
	}.test(s)
}

func bucketFields(s *suite) []string {
	a := newAutomation(s, "of bucket fields", "")
	put := func(tx core.Tx, x *core.Bucket) error { return tx.PutBucket(s.ctx, x) }
	return record[core.Bucket]{
		given:  func(x *core.Bucket) { x.AutomationID = a.ID },
		insert: map[string]func(core.Tx, *core.Bucket) error{"PutBucket": put},
		update: map[string]change[core.Bucket]{"PutBucket": {put, []string{"TriggerID", "Key"}}},
		read: map[string]func(core.Reader, *core.Bucket) (*core.Bucket, error){
			"Bucket": func(r core.Reader, x *core.Bucket) (*core.Bucket, error) { return r.Bucket(s.ctx, x.TriggerID, x.Key) },
			"ClosedBuckets": func(r core.Reader, x *core.Bucket) (*core.Bucket, error) {
				return one(r.ClosedBuckets(s.ctx, core.Forever, 2))
			},
		},
	}.test(s)
}

func firingFields(s *suite) []string {
	a := newAutomation(s, "of firing fields", "")
	put := func(tx core.Tx, x *core.ChildFiring) error { return tx.PutChildFiring(s.ctx, x) }
	return record[core.ChildFiring]{
		given:  func(x *core.ChildFiring) { x.AutomationID = a.ID },
		insert: map[string]func(core.Tx, *core.ChildFiring) error{"PutChildFiring": put},
		update: map[string]change[core.ChildFiring]{"PutChildFiring": {put, []string{"ParentID", "TriggerID"}}},
		read: map[string]func(core.Reader, *core.ChildFiring) (*core.ChildFiring, error){
			"ChildFirings": func(r core.Reader, x *core.ChildFiring) (*core.ChildFiring, error) {
				return one(r.ChildFirings(s.ctx, x.ParentID))
			},
		},
	}.test(s)
}

func actionFields(s *suite) []string {
	a := newAutomation(s, "of action fields", "")
	return record[core.DueAction]{
		given: func(x *core.DueAction) { x.AutomationID = a.ID },
		insert: map[string]func(core.Tx, *core.DueAction) error{
			"InsertDueAction": func(tx core.Tx, x *core.DueAction) error { return tx.InsertDueAction(s.ctx, x) },
		},
		read: map[string]func(core.Reader, *core.DueAction) (*core.DueAction, error){
			"DueActions": func(r core.Reader, _ *core.DueAction) (*core.DueAction, error) {
				return one(r.DueActions(s.ctx, core.Forever, 2))
			},
		},
		other: []string{"Attempts"}, // counted by ClaimDueAction
	}.test(s)
}

func blockTypeFields(s *suite) []string {
	return record[core.BlockType]{
		insert: map[string]func(core.Tx, *core.BlockType) error{
			"InsertBlockType": func(tx core.Tx, x *core.BlockType) error { return tx.InsertBlockType(s.ctx, x) },
		},
		update: map[string]change[core.BlockType]{
			"UpdateBlockType": {
				func(tx core.Tx, x *core.BlockType) error { return tx.UpdateBlockType(s.ctx, x) },
				[]string{"Created", "Name", "Slug"},
			},
		},
		read: map[string]func(core.Reader, *core.BlockType) (*core.BlockType, error){
			"BlockType": func(r core.Reader, x *core.BlockType) (*core.BlockType, error) { return r.BlockType(s.ctx, x.ID) },
			"BlockTypeBySlug": func(r core.Reader, x *core.BlockType) (*core.BlockType, error) {
				return r.BlockTypeBySlug(s.ctx, x.Slug)
			},
		},
	}.test(s)
}

func (s *suite) blockType(name string) *core.BlockType {
	kind := &core.BlockType{ID: core.NewID(), Created: s.now, Updated: s.now, Name: name, Slug: name}
	s.write(func(tx core.Tx) error { return tx.InsertBlockType(s.ctx, kind) })
	return kind
}

func blockSchemaFields(s *suite) []string {
	kind := s.blockType("of-schema-fields")
	return record[core.BlockSchema]{
		given: func(x *core.BlockSchema) { x.BlockTypeID, x.BlockType = kind.ID, kind },
		insert: map[string]func(core.Tx, *core.BlockSchema) error{
			"InsertBlockSchema": func(tx core.Tx, x *core.BlockSchema) error { return tx.InsertBlockSchema(s.ctx, x) },
		},
		read: map[string]func(core.Reader, *core.BlockSchema) (*core.BlockSchema, error){
			"BlockSchema": func(r core.Reader, x *core.BlockSchema) (*core.BlockSchema, error) { return r.BlockSchema(s.ctx, x.ID) },
			"BlockSchemaByChecksum": func(r core.Reader, x *core.BlockSchema) (*core.BlockSchema, error) {
				return r.BlockSchemaByChecksum(s.ctx, x.Checksum, x.Version)
			},
		},
	}.test(s)
}

func blockDocumentFields(s *suite) []string {
	kind := s.blockType("of-document-fields")
	schema := &core.BlockSchema{
		ID: core.NewID(), Created: s.now, Updated: s.now, Checksum: "c", Version: "1", Fields: core.JSON("{}"),
		BlockTypeID: kind.ID, BlockType: kind, Capabilities: core.Tags{},
	}
	inner := &core.BlockDocument{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "inner", BlockSchemaID: schema.ID, BlockTypeID: kind.ID}
	s.write(func(tx core.Tx) error {
		if err := tx.InsertBlockSchema(s.ctx, schema); err != nil {
			return err
		}
		return tx.InsertBlockDocument(s.ctx, inner)
	})
	return record[core.BlockDocument]{
		given: func(x *core.BlockDocument) {
			x.BlockSchemaID, x.BlockSchema, x.BlockTypeID, x.BlockType, x.BlockTypeName = schema.ID, schema, kind.ID, kind, &kind.Name
			x.Refs = map[string]core.UUID{core.NewID().String(): inner.ID}
		},
		insert: map[string]func(core.Tx, *core.BlockDocument) error{
			"InsertBlockDocument": func(tx core.Tx, x *core.BlockDocument) error { return tx.InsertBlockDocument(s.ctx, x) },
		},
		update: map[string]change[core.BlockDocument]{
			"UpdateBlockDocument": {
				func(tx core.Tx, x *core.BlockDocument) error { return tx.UpdateBlockDocument(s.ctx, x) },
				[]string{"Created", "Name", "IsAnonymous"},
			},
		},
		read: map[string]func(core.Reader, *core.BlockDocument) (*core.BlockDocument, error){
			"BlockDocument": func(r core.Reader, x *core.BlockDocument) (*core.BlockDocument, error) {
				return r.BlockDocument(s.ctx, x.ID)
			},
		},
		lock: func(tx core.Tx, x *core.BlockDocument) (*core.BlockDocument, error) {
			return tx.LockBlockDocument(s.ctx, x.ID)
		},
		// Data is what Sealed opens to, and References what Refs leads to.
		other: []string{"Data", "References"},
	}.test(s)
}
