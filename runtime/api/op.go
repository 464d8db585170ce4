package api

import (
	"context"
	"io"
	"math"
	"net/http"
	"reflect"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// group is the operations of one resource.
type group struct {
	prefix string
	ops    []op
}

// op is one operation. serve decodes, calls and returns the answer: nil for
// null, noContent, or anything that encodes to JSON.
type op struct {
	method, path string
	status       int
	serve        func(ctx context.Context, c *call) (any, error)

	required []string // top-level keys that the body must have
	model    string   // the noun of a not-found that is told as exception_message
	strict   bool     // unknown keys within the body's parts are errors
	optional bool     // the body may be missing
	open     bool     // answered without credentials
	reach    reach    // of the credentials of flow runs
	socket   bool     // a websocket: credentials may come in its first frame
	most     int64    // largest body, 0 is maxBody
	raw      http.HandlerFunc
	body     reflect.Type // of the field Body; nil if there is none
	plan     *plan        // of Prefect's operation; nil if it has none
}

// maxBody bounds what is read of a request; clients send logs in batches of 4 MB.
const maxBody = 32 << 20

func (o *op) limit() int64 {
	if o.most > 0 {
		return o.most
	}
	return maxBody
}

// call is one request on its way through an operation.
type call struct {
	r      *http.Request
	op     *op
	body   []byte
	status int
	began  core.Time
	warn   string // of a success that may not be what the client wants
}

// route makes an operation of a typed function. In's fields with a `path` or
// `query` tag are taken from the URL, its field Body from the body.
func route[In, Out any](method, path string, status int, fn func(context.Context, *In) (Out, error), options ...option) op {
	b := bind(reflect.TypeFor[In]())
	o := op{method: method, path: path, status: status}
	if b.body >= 0 {
		o.body = reflect.TypeFor[In]().Field(b.body).Type
	}
	o.serve = func(ctx context.Context, c *call) (any, error) {
		in := new(In)
		if err := b.read(c, reflect.ValueOf(in).Elem()); err != nil {
			return nil, err
		}
		return fn(context.WithValue(ctx, callKey{}, c), in)
	}
	for _, set := range options {
		set(&o)
	}
	return o
}

type option func(*op)

func need(keys ...string) option { return func(o *op) { o.required = keys } }
func model(noun string) option   { return func(o *op) { o.model = noun } }
func strict(o *op)               { o.strict, o.optional = true, true }
func optional(o *op)             { o.optional = true }
func open(o *op)                 { o.open = true }

func get[In, Out any](path string, fn func(context.Context, *In) (Out, error), options ...option) op {
	return route("GET", path, http.StatusOK, fn, options...)
}

func post[In, Out any](path string, fn func(context.Context, *In) (Out, error), options ...option) op {
	return route("POST", path, http.StatusOK, fn, options...)
}

// done makes an operation whose answer is no content.
func done[In any](method, path string, fn func(context.Context, *In) error, options ...option) op {
	return route(method, path, http.StatusNoContent, func(ctx context.Context, in *In) (any, error) {
		return nil, fn(ctx, in)
	}, options...)
}

// plain is an operation that writes its own answer: downloads and streams.
func plain(method, path string, status int, h http.HandlerFunc, options ...option) op {
	o := op{method: method, path: path, status: status, raw: h}
	for _, set := range options {
		set(&o)
	}
	return o
}

func socketOp(path string, h http.HandlerFunc) op {
	return op{method: "GET", path: path, status: http.StatusSwitchingProtocols, raw: h, socket: true}
}

type callKey struct{}

// setStatus changes the status of a success: 201 where an upsert created.
func setStatus(ctx context.Context, status int) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.status = status
	}
}

// created answers 201 if a record with that creation time was made by this
// request, as the peer tells it.
func created(ctx context.Context, at core.Time) {
	if c, ok := ctx.Value(callKey{}).(*call); ok && at >= c.began {
		c.status = http.StatusCreated
	}
}

// warn tells the client something about a success.
func warn(ctx context.Context, text string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.warn = text
	}
}

func requestOf(ctx context.Context) *http.Request { return ctx.Value(callKey{}).(*call).r }

func (a *API) handle(o op) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, ok := a.enter(w, r, &o)
		if !ok {
			return
		}
		if r.Method == http.MethodHead {
			writeDetail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
			return
		}
		if o.raw != nil {
			o.raw(w, r)
			return
		}
		c := call{r: r, op: &o, status: o.status, began: core.Now()}
		buf := buffers.Get().(*buffer)
		defer buf.free()
		err := buf.readBody(w, r, o.limit())
		if err == nil {
			c.body = buf.b.Bytes()
			var out any
			if out, err = o.serve(r.Context(), &c); err == nil && isPrefect(r) {
				out, err = a.unwrapResult(r.Context(), out)
			}
			if err == nil && isPrefect38(r) {
				out, err = a.forPrefect38(r.Context(), out)
			}
			if err == nil {
				if c.warn != "" {
					w.Header().Set(WarningHeader, c.warn)
				}
				writeAnswer(w, r, c.status, out)
				return
			}
		}
		a.fail(w, r, &o, c.body, err)
	})
}

// binding tells where the fields of an In come from.
type binding struct {
	path, query []field
	body        int // index of the field Body, -1 for none
}

type field struct {
	name  string
	index int
}

func bind(t reflect.Type) binding {
	b := binding{body: -1}
	if t.Kind() != reflect.Struct {
		return b
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("path"); name != "" {
			b.path = append(b.path, field{name, i})
		}
		if name := f.Tag.Get("query"); name != "" {
			b.query = append(b.query, field{name, i})
		}
		if f.Name == "Body" {
			b.body = i
		}
	}
	return b
}

func (b *binding) read(c *call, in reflect.Value) error {
	for _, f := range b.path {
		if setText(in.Field(f.index), c.r.PathValue(f.name)) != nil {
			return errNoRoute
		}
	}
	if err := b.readQuery(c, in); err != nil {
		return err
	}
	if b.body >= 0 {
		return decode(c, in.Field(b.body).Addr().Interface())
	}
	return nil
}

func (b *binding) readQuery(c *call, in reflect.Value) error {
	if len(b.query) == 0 {
		return nil
	}
	var r reader
	q := c.r.URL.Query()
	for _, f := range b.query {
		given, loc := q[f.name], []any{"query", f.name}
		w := c.op.plan.parameter(f.name)
		if len(given) == 0 {
			if w != nil && w.Required {
				r.add("missing", "Field required", []byte("null"), loc)
			}
			continue
		}
		s := given[len(given)-1]
		switch {
		case w != nil:
			before := len(r.found)
			v := r.read(w, quote(s), loc)
			if len(r.found) > before {
				continue
			}
			if s = string(v); len(v) > 0 && v[0] == '"' {
				s = unquote(v)
			}
		case s == "":
			continue
		}
		if err := setText(in.Field(f.index), s); err != nil {
			r.add("value_error", err.Error(), quote(s), loc)
		}
	}
	return r.err()
}

func setText(v reflect.Value, s string) (err error) {
	switch p := v.Addr().Interface().(type) {
	case *core.UUID:
		*p, err = core.ParseUUID(s)
	case *string:
		*p = core.CleanText(s)
	case *core.Time:
		*p, err = core.ParseTime(s)
	case *int:
		*p, err = strconv.Atoi(s)
	case *bool:
		*p, err = strconv.ParseBool(s)
	case *core.Seconds:
		var f float64
		if f, err = strconv.ParseFloat(s, 64); err == nil && math.IsNaN(f) {
			err = strconv.ErrSyntax
		}
		*p = core.Seconds(f)
	}
	return err
}

var _ io.Reader = (*buffer)(nil)
