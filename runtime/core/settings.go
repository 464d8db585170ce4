package core

import "time"

// StoreFacts are what a database tells of itself.
type StoreFacts struct {
	Location string // without credentials
	Bytes    int64
	Version  int // of its schema: the migrations that were run
}

// ServerFacts are what a server process tells of itself and how it was
// configured, without anything that is secret.
type ServerFacts struct {
	URL     string
	Home    string // the data folder
	Auth    bool   // everyone is asked to log in
	CSRF    bool   // changing requests to the API carry a token
	KeyFrom string // where the key is that seals blocks: a file, or a variable of the environment
	Results string // where results lie that no storage block is named for

	KeepRuns, KeepEvents, KeepLogs time.Duration // older ones are removed; below zero: none

	Loops []LoopProgress // nil: another server runs them
	Flows *FlowsFacts    // nil: it deploys no folder
}

// FlowsFacts is how the folder stands whose flows the server deploys.
type FlowsFacts struct {
	Dir      string
	Looking  bool           // it is being read and built
	Problems []FlowsProblem // of the last look
	Hints    []string       // what keeps flows from being deployed and is no fault of theirs
}

// FlowsProblem is what could not be built or deployed.
type FlowsProblem struct{ Where, Text string }

// LoopProgress is how a loop stands: a loop that hangs or fails is seen by its
// last success growing old.
type LoopProgress struct {
	Name        string  `json:"name"`
	Every       float64 `json:"interval_seconds"`
	LastSuccess Time    `json:"last_success"`
	LastError   string  `json:"last_error,omitempty"`
	Elsewhere   bool    `json:"elsewhere,omitempty"` // another server runs it
}
