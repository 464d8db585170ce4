package db

import (
	"errors"

	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5/pgconn"
)

// verdict is what an error of PostgreSQL means here.
type verdict struct {
	code  core.Code
	retry bool // the transaction may be run again: nothing of it was committed
	drop  bool // the session is of no use any more
}

var (
	unavailable = verdict{code: core.EUnavailable}
	gone        = verdict{code: core.EUnavailable, drop: true}
	again       = verdict{code: core.EUnavailable, retry: true}
	invalid     = verdict{code: core.EInvalid}
	conflict    = verdict{code: core.EConflict}
	fault       = verdict{code: core.EInternal}
)

// verdicts has a row for every class of SQLSTATE in appendix A of PostgreSQL's
// manual. A row for one state comes before that of its class.
var verdicts = map[string]verdict{
	"00": fault, "01": fault, "02": fault, "03": fault, // success and warnings are no errors
	"08":    gone,                                // connection exception
	"08P01": {code: core.EInternal, drop: true},  // protocol violation
	"09":    fault,                               // triggered action exception
	"0A":    fault,                               // feature not supported
	"0A000": {code: core.EInternal, retry: true}, // also: cached plan must not change result type
	"0B":    fault, "0F": fault, "0L": fault, "0P": fault, "0Z": fault, "20": fault, "21": fault,
	"22": invalid, // data exception: a value that the engine cannot hold
	"23": conflict, "23502": fault, "23514": fault,
	"24":    fault,
	"25":    {code: core.EInternal, drop: true},                 // invalid transaction state
	"25006": {code: core.EUnavailable, retry: true, drop: true}, // read only: after a failover, or by a setting
	"25P03": gone,                                               // idle in transaction timeout
	"25P04": gone,                                               // transaction timeout
	"26":    {code: core.EUnavailable, retry: true, drop: true}, // the session has forgotten a prepared statement
	"27":    fault,
	"28":    gone, // authorization: a password was changed, a role is gone
	"2B":    fault, "2D": fault, "2F": fault, "34": fault, "38": fault, "39": fault, "3B": fault,
	"3D":    gone, // the database is not there
	"3F":    fault,
	"40":    again, // serialization failure, deadlock
	"40002": fault,
	"40003": gone, // nobody knows whether it was committed
	"42":    fault, "44": fault,
	"53": unavailable,                 // no disk, memory, or connection left
	"54": invalid,                     // program limit exceeded: an index entry is too large
	"55": unavailable, "55P03": again, // lock not available
	"57": gone, "57014": unavailable, // shutdown, crash, starting; canceled by a timeout
	"58": unavailable, // I/O error
	"72": again,       // snapshot too old
	"F0": unavailable, // configuration file
	"HV": fault, "P0": fault,
	"XX": fault, "XX001": unavailable, "XX002": unavailable, // damaged data or index
}

func verdictOf(state string) verdict {
	if v, ok := verdicts[state]; ok {
		return v
	}
	if len(state) == 5 {
		if v, ok := verdicts[state[:2]]; ok {
			return v
		}
	}
	return fault
}

// sessionVerdict is that of the error of PostgreSQL in err's chain.
func sessionVerdict(err error) (v verdict) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		v = verdictOf(e.Code)
	}
	return v
}

// postgresError is an error of PostgreSQL as core's. One without a SQLSTATE is
// of the connection.
func postgresError(err error, noun string) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return &core.Error{Code: core.EUnavailable, Message: "the database cannot answer: " + err.Error(), Err: err}
	}
	out := &core.Error{Code: verdictOf(e.Code).code, Err: err}
	switch {
	case e.Code == "23503":
		out.Message = noun + " refers to something that does not exist"
	case out.Code == core.EConflict:
		out.Message = noun + " already exists"
	case e.Code == "25006":
		out.Message = "the database is read-only; waiting for a server that accepts writes"
	case out.Code == core.EUnavailable:
		out.Message = "the database cannot answer: " + e.Message
	case out.Code == core.EInvalid:
		out.Message = noun + " cannot be stored: " + e.Message
	default:
		out.Message = noun + ": " + e.Message
	}
	return out
}
