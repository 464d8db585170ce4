package block

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// secretsFresh is how long the secrets are not read again, unless something is
// heard of a change.
const secretsFresh = 10 * time.Second

// secretWords are the values of all secret fields of blocks, to be masked in logs.
type secretWords struct {
	mu    sync.Mutex
	until core.Time // when to look again
	words *core.Mask
}

func (w *secretWords) forget() {
	w.mu.Lock()
	w.until = 0
	w.mu.Unlock()
}

// secretsChanged tells all servers before a run can have read the new ones.
func (s *Blocks) secretsChanged() {
	s.secrets.forget()
	s.bus.Publish(core.Message{Topic: core.TopicSecret})
}

// SetSecret saves a Secret block, in place of the one of that name.
func (s *Blocks) SetSecret(ctx context.Context, name string, value core.JSON) error {
	d, err := s.store.BlockDocumentByName(ctx, core.SecretBlock, name)
	if err != nil {
		_, err := s.CreateSecret(ctx, name, value)
		return err
	}
	schema, err := s.secretSchema(ctx, d.BlockTypeID)
	if err != nil {
		return err
	}
	return s.UpdateBlockDocument(ctx, d.ID, core.BlockDocumentUpdate{
		BlockSchemaID: core.Some(schema), Data: core.Some(map[string]core.JSON{"value": value}), Merge: core.Some(false)})
}

// CreateSecret saves a new Secret block. EConflict for a taken name.
func (s *Blocks) CreateSecret(ctx context.Context, name string, value core.JSON) (*core.BlockDocument, error) {
	t, err := s.store.BlockTypeBySlug(ctx, core.SecretBlock)
	if core.IsNotFound(err) {
		if err := s.RegisterBlocks(ctx); err != nil {
			return nil, err
		}
		t, err = s.store.BlockTypeBySlug(ctx, core.SecretBlock)
	}
	if err != nil {
		return nil, err
	}
	schema, err := s.secretSchema(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return s.CreateBlockDocument(ctx, core.BlockDocumentCreate{
		Name: &name, Data: map[string]core.JSON{"value": value}, BlockSchemaID: schema, BlockTypeID: t.ID,
	})
}

// secretSchema is the latest schema of Secret blocks that hides the value: whoever
// may create schemas may have made one in which the value is no secret.
func (s *Blocks) secretSchema(ctx context.Context, blockType core.UUID) (core.UUID, error) {
	of := &core.BlockSchemaFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{blockType}}}
	schemas, err := s.store.BlockSchemas(ctx, core.BlockFilters{Schemas: of}, core.Page{Limit: core.MaxLimit})
	if err != nil {
		return core.UUID{}, err
	}
	i := slices.IndexFunc(schemas, (*core.BlockSchema).HidesValue)
	if i < 0 {
		return core.UUID{}, core.NotFound("Block schema")
	}
	return schemas[i].ID, nil
}

// Masker replaces the secrets in a text; nil if there are none.
func (s *Blocks) Masker(ctx context.Context) *core.Mask {
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	now := s.now()
	if now < s.secrets.until {
		return s.secrets.words
	}
	words, err := s.secretWords(ctx)
	if err != nil {
		s.log.Warn("secrets cannot be read; logs are masked by those that were known", "error", err)
	} else {
		s.secrets.words = core.Masker(words)
	}
	s.secrets.until = now.Add(secretsFresh)
	return s.secrets.words
}

// MaskMessage is a state's message without secrets.
func (s *Blocks) MaskMessage(ctx context.Context, m *string) *string {
	if m == nil || *m == "" {
		return m
	}
	text := *m
	if mask := s.Masker(ctx); mask != nil {
		text = mask.Replace(text)
	}
	text = core.MaskRunAuth(text)
	return &text
}

// MaskText is an optional text of an artifact without secrets.
func MaskText(text *string, mask *core.Mask) *string {
	if text == nil || mask == nil {
		return text
	}
	return core.Ptr(mask.Replace(*text))
}

func (s *Blocks) MaskReports(ctx context.Context, reports []*core.TaskRunReport) {
	for _, r := range reports {
		for _, state := range r.States {
			state.Message = s.MaskMessage(ctx, state.Message)
		}
	}
}

// secretWords are the texts in all secret fields of all blocks.
func (s *Blocks) secretWords(ctx context.Context) (words []string, err error) {
	var secret []core.UUID // schemas with secret fields
	for offset := 0; ; offset += core.MaxLimit {
		schemas, err := s.store.BlockSchemas(ctx, core.BlockFilters{}, core.Page{Limit: core.MaxLimit, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, schema := range schemas {
			if len(schema.SecretPaths()) > 0 {
				secret = append(secret, schema.ID)
			}
		}
		if len(schemas) < core.MaxLimit {
			break
		}
	}
	if len(secret) == 0 {
		return nil, nil
	}
	f := core.BlockFilters{
		Schemas:   &core.BlockSchemaFilter{ID: &core.IDFilter{Any: secret}},
		Documents: &core.BlockDocumentFilter{IsAnonymous: core.Null[core.BoolFilter]()},
	}
	for offset := 0; ; offset += core.MaxLimit {
		docs, err := s.store.BlockDocuments(ctx, f, core.Page{Limit: core.MaxLimit, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			plain, err := s.sealer.Open(d.ID, d.Sealed)
			if err != nil {
				continue // nobody can have read it
			}
			d.Data = plain
			words = append(words, d.SecretWords()...)
		}
		if len(docs) < core.MaxLimit {
			return words, nil
		}
	}
}
