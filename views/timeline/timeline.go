package timeline

import "time"

type Kind uint8

const (
	Task  Kind = iota
	Flow       // a subflow: its children nest under it
	Group      // many runs of one task folded into one row
)

type Item struct {
	ID, Parent, Name, Key string // Key: task key, the unit of folding
	Kind                  Kind
	State                 string // css state name
	Start, End            time.Time
	Deps                  []string
	Tries                 []Span // earlier attempts
	Note                  string
	Wakes                 time.Time // when a durable sleep ends
}

type Span struct {
	Start, End time.Time
	State      string
}

type Options struct {
	Now        time.Time
	FoldAt     int             // fold a task key with more runs than this
	Open       map[string]bool // folded keys the reader opened
	MaxRows    int             // window size
	Offset     int
	OnlyFailed bool
	GapMin     time.Duration // idle gaps longer than this are squeezed
	GapPct     float64       // width given to a squeezed gap
	Buckets    int           // density strip resolution
	OpenEnded  bool          // the run is not over: the axis reaches now even if nothing runs
}

type Bar struct {
	X, W  float64
	State string
	Live  bool
	Faint bool // an earlier attempt
}

type Row struct {
	Item       *Item
	Depth      int
	Bars       []Bar
	Label      string // duration, drawn beside the bar
	LabelX     float64
	LabelEnd   bool // text-anchor=end
	Offset     time.Duration
	Dur        time.Duration
	Members    int
	Counts     map[string]int
	Area       string // density path in a 0..Buckets x 0..20 box
	FailTicks  []float64
	Peak       int
	FoldKey    string
	IsOpen     bool
	LastInside bool
}

type Edge struct {
	From, To int
	X1, X2   float64
}

type Tick struct {
	X     float64
	Label string
}

type Gap struct {
	X, W float64
	Dur  time.Duration
}

type Layout struct {
	Rows       []Row
	Edges      []Edge
	Ticks      []Tick
	Gaps       []Gap
	NowX       float64 // <0 when the run is over
	Total      int     // rows before windowing
	Start, End time.Time
}
