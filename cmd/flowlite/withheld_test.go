package main

import (
	"regexp"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/flowlite/flowlite/runtime/core"
)

// shown look like secrets, and flows may know them.
var shown = map[string]bool{"FLOWLITE_API_URL": true, "FLOWLITE_PUBLIC_URL": true, "FLOWLITE_PRIVATE_URLS": true}

// TestCredentialsAreWithheld walks the variables of all flags, so that a new one
// that holds a credential is not passed on to flows.
func TestCredentialsAreWithheld(t *testing.T) {
	secret := regexp.MustCompile(`AUTH|KEY|URL|PASSWORD|SECRET|TOKEN|CREDENTIAL|STRING|DSN`)
	var c cli
	n := 0
	err := kong.Visit(parser(&c, "").Model, func(v kong.Visitable, next kong.Next) error {
		if f, ok := v.(*kong.Flag); ok {
			for _, name := range f.Envs {
				if secret.MatchString(name) && !shown[name] {
					if n++; !core.Withheld(name) {
						t.Errorf("%s is passed on to flows; add it to the withheld variables of core, or to those that flows may know", name)
					}
				}
			}
		}
		return next(nil)
	})
	if err != nil || n < 5 {
		t.Errorf("%d variables look like secrets, %v", n, err)
	}
}
