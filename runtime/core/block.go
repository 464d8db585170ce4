package core

import "context"

// BlockType is a kind of configuration, such as "secret".
type BlockType struct {
	ID               UUID    `json:"id"`
	Created          Time    `json:"created"`
	Updated          Time    `json:"updated"`
	Name             string  `json:"name"`
	Slug             string  `json:"slug"`
	LogoURL          *string `json:"logo_url"`
	DocumentationURL *string `json:"documentation_url"`
	Description      *string `json:"description"`
	CodeExample      *string `json:"code_example"`
	IsProtected      bool    `json:"is_protected"` // it and its schemas cannot be deleted
}

type BlockTypeCreate struct {
	Name             string  `json:"name"`
	Slug             string  `json:"slug"`
	LogoURL          *string `json:"logo_url"`
	DocumentationURL *string `json:"documentation_url"`
	Description      *string `json:"description"`
	CodeExample      *string `json:"code_example"`
}

type BlockTypeUpdate struct {
	LogoURL          Opt[string] `json:"logo_url,omitzero"`
	DocumentationURL Opt[string] `json:"documentation_url,omitzero"`
	Description      Opt[string] `json:"description,omitzero"`
	CodeExample      Opt[string] `json:"code_example,omitzero"`
}

// BlockSchema says which fields the documents of a type have. Clients find it
// by the checksum of its fields.
type BlockSchema struct {
	ID           UUID       `json:"id"`
	Created      Time       `json:"created"`
	Updated      Time       `json:"updated"`
	Checksum     string     `json:"checksum"`
	Fields       JSON       `json:"fields"`
	BlockTypeID  UUID       `json:"block_type_id"`
	BlockType    *BlockType `json:"block_type"`
	Capabilities Tags       `json:"capabilities"`
	Version      string     `json:"version"`
}

type BlockSchemaCreate struct {
	Fields       map[string]JSON `json:"fields"`
	BlockTypeID  UUID            `json:"block_type_id"`
	Capabilities Tags            `json:"capabilities,omitempty"`
	Version      *string         `json:"version,omitempty"` // default "non-versioned"
}

// BlockDocument is one named configuration. Data is in the clear, with what it
// refers to in place; only Sealed is stored. A Reader leaves Data empty.
type BlockDocument struct {
	ID            UUID                      `json:"id"`
	Created       Time                      `json:"created"`
	Updated       Time                      `json:"updated"`
	Name          string                    `json:"name"`
	Data          JSON                      `json:"data"`
	BlockSchemaID UUID                      `json:"block_schema_id"`
	BlockSchema   *BlockSchema              `json:"block_schema"`
	BlockTypeID   UUID                      `json:"block_type_id"`
	BlockTypeName *string                   `json:"block_type_name"`
	BlockType     *BlockType                `json:"block_type"`
	References    map[string]BlockReference `json:"block_document_references"`
	IsAnonymous   bool                      `json:"is_anonymous"`

	Sealed string          `json:"-"`
	Refs   map[string]UUID `json:"-"` // key of Data to the document that stands there
}

// BlockReference tells which document a key of another's data comes from.
type BlockReference struct {
	Document BlockReferenced `json:"block_document"`
}

type BlockReferenced struct {
	ID          UUID                      `json:"id"`
	Name        string                    `json:"name"`
	BlockType   *BlockType                `json:"block_type"`
	IsAnonymous bool                      `json:"is_anonymous"`
	References  map[string]BlockReference `json:"block_document_references"`
}

type BlockDocumentCreate struct {
	Name          *string         `json:"name"`
	Data          map[string]JSON `json:"data"`
	BlockSchemaID UUID            `json:"block_schema_id"`
	BlockTypeID   UUID            `json:"block_type_id"`
	IsAnonymous   bool            `json:"is_anonymous,omitempty"`
}

type BlockDocumentUpdate struct {
	BlockSchemaID Opt[UUID]            `json:"block_schema_id,omitzero"`
	Data          Opt[map[string]JSON] `json:"data,omitzero"`
	Merge         Opt[bool]            `json:"merge_existing_data,omitzero"` // default true
}

type BlockTypeFilter struct {
	Operator Operator    `json:"operator,omitempty"`
	Name     *TextFilter `json:"name,omitempty"`
	Slug     *TextFilter `json:"slug,omitempty"`
}

type BlockSchemaFilter struct {
	Operator     Operator    `json:"operator,omitempty"`
	ID           *IDFilter   `json:"id,omitempty"`
	BlockTypeID  *IDFilter   `json:"block_type_id,omitempty"`
	Capabilities *TagFilter  `json:"block_capabilities,omitempty"`
	Version      *TextFilter `json:"version,omitempty"`
}

// BlockDocumentFilter: anonymous documents are left out unless IsAnonymous
// says otherwise; null there takes both.
type BlockDocumentFilter struct {
	Operator    Operator        `json:"operator,omitempty"`
	ID          *IDFilter       `json:"id,omitempty"`
	IsAnonymous Opt[BoolFilter] `json:"is_anonymous,omitzero"`
	BlockTypeID *IDFilter       `json:"block_type_id,omitempty"`
	Name        *TextFilter     `json:"name,omitempty"`
}

// BlockFilters is what the lists of all three share.
type BlockFilters struct {
	Documents *BlockDocumentFilter `json:"block_documents"`
	Types     *BlockTypeFilter     `json:"block_types"`
	Schemas   *BlockSchemaFilter   `json:"block_schemas"`
}

// BlockDocumentSorts are the sort orders of documents; the first is the default.
var BlockDocumentSorts = []string{"NAME_ASC", "NAME_DESC", "BLOCK_TYPE_AND_NAME_ASC"}

// Slugs of block types that every server knows.
const (
	SecretBlock = "secret"
)

// BlockReader is the part of Reader that knows blocks.
type BlockReader interface {
	BlockType(ctx context.Context, id UUID) (*BlockType, error)
	BlockTypeBySlug(ctx context.Context, slug string) (*BlockType, error)
	BlockTypes(ctx context.Context, f BlockFilters, p Page) ([]*BlockType, error) // by name
	BlockSchema(ctx context.Context, id UUID) (*BlockSchema, error)
	// BlockSchemaByChecksum takes the newest of all versions where version is empty.
	BlockSchemaByChecksum(ctx context.Context, checksum, version string) (*BlockSchema, error)
	BlockSchemas(ctx context.Context, f BlockFilters, p Page) ([]*BlockSchema, error) // newest first
	// BlockCapabilities are those of all schemas, each once.
	BlockCapabilities(ctx context.Context) ([]string, error)

	// Documents come with type, schema and Refs, and sealed.
	BlockDocument(ctx context.Context, id UUID) (*BlockDocument, error)
	BlockDocumentByName(ctx context.Context, typeSlug, name string) (*BlockDocument, error)
	BlockDocumentsByIDs(ctx context.Context, ids []UUID) ([]*BlockDocument, error)
	BlockDocuments(ctx context.Context, f BlockFilters, p Page) ([]*BlockDocument, error)
	CountBlockDocuments(ctx context.Context, f BlockFilters) (int64, error)
	// SealedOtherwise are documents above after, by id, whose sealed data does
	// not begin with prefix: they need a seal of the newest key.
	SealedOtherwise(ctx context.Context, prefix string, after UUID, limit int) ([]SealedDocument, error)
}

// BlockTx is the part of Tx that writes blocks.
type BlockTx interface {
	InsertBlockType(ctx context.Context, t *BlockType) error
	UpdateBlockType(ctx context.Context, t *BlockType) error
	DeleteBlockType(ctx context.Context, id UUID) error // with its schemas and documents
	InsertBlockSchema(ctx context.Context, s *BlockSchema) error
	DeleteBlockSchema(ctx context.Context, id UUID) error // with its documents
	// LockBlockDocument reads a document to change it.
	LockBlockDocument(ctx context.Context, id UUID) (*BlockDocument, error)
	// InsertBlockDocument and UpdateBlockDocument write Sealed and Refs.
	InsertBlockDocument(ctx context.Context, d *BlockDocument) error
	UpdateBlockDocument(ctx context.Context, d *BlockDocument) error
	DeleteBlockDocument(ctx context.Context, id UUID) error
	// ResealBlockDocument changes the seal if it is still was.
	ResealBlockDocument(ctx context.Context, id UUID, was, sealed string) (bool, error)
}

// SealedDocument is a document's data as it is stored.
type SealedDocument struct {
	ID     UUID
	Sealed string
}

// Sealer encrypts what must not be read from a copy of the database.
type Sealer interface {
	// Seal binds the text to id: it does not open under another.
	Seal(id UUID, plain []byte) (string, error)
	// Open returns EConflict if the key is not at hand, or the text was changed.
	Open(id UUID, sealed string) ([]byte, error)
	// Prefix begins everything that Seal makes now.
	Prefix() string
}
