package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// What a file says arrives as it is written: numbers to the digit, keys in
// order, dates as text.
func TestYAMLKeepsWhatIsWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "flowlite.yaml")
	text := `
base: &base {z: 1.0, a: 9007199254740993}
deployments:
  - name: d
    entrypoint: f.go:F
    parameters:
      zeta: 12345678901234567890123
      alpha: 1.0
      small: 1e-7
      hex: 0x1F
      day: 2026-01-02
      at: 2026-01-02 10:00:00.123456+05:30
      yes: true
      none: ~
      text: "007"
      list: [2.0, {b: 1, a: 2}]
      merged: {<<: *base, z: 3}
    work_pool: {job_variables: {z: 1.50, a: {y: 1, b: 2}}}
    schedules:
      - {interval: 36h, parameters: {n: 9007199254740993, m: 1.0}, active: false, max_scheduled_runs: 3}
      - {cron: "0 9 * * *", day_or: false, timezone: Europe/Rome, slug: 7}
`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readDeployFile(name); err == nil {
		t.Error("base is no key of the file")
	}
	if err := os.WriteFile(name, []byte("definitions:"+text[len("\nbase:"):]), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := readDeployFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := f.Deployments[0]
	want := `{"zeta":12345678901234567890123,"alpha":1.0,"small":1e-7,"hex":31,"day":"2026-01-02","at":"2026-01-02 10:00:00.123456+05:30","yes":true,"none":null,"text":"007","list":[2.0,{"b":1,"a":2}],"merged":{"z":3,"a":9007199254740993}}`
	if got := string(d.Parameters); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(d.Pool.JobVariables); got != `{"z":1.50,"a":{"y":1,"b":2}}` {
		t.Error(got)
	}
	rules, err := d.rules()
	if err != nil {
		t.Fatal(err)
	}
	if string(rules[0].Parameters) != `{"n":9007199254740993,"m":1.0}` || rules[0].Active.V || !rules[0].Active.Set || *rules[0].MaxScheduledRuns != 3 || *rules[1].Slug != "7" {
		t.Errorf("%+v", rules)
	}
}

func TestInputsKeepWhatIsWritten(t *testing.T) {
	a := &app{}
	params, err := a.inputs(`{"z":12345678901234567890123,"a":{"y":1.0,"b":1e400}}`, []string{"n=9007199254740993", "t=1.10"}, core.JSON(`{"properties":{"t":{"type":"string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(params.JSON()); got != `{"z":12345678901234567890123,"a":{"y":1.0,"b":1e400},"n":9007199254740993,"t":"1.10"}` {
		t.Error(got)
	}
	var vars core.Object
	if err := jobVariables(&vars, []string{`env={"Z":"1","A":2.0}`}, nil); err != nil || string(vars.JSON()) != `{"env":{"Z":"1","A":2.0}}` {
		t.Error(string(vars.JSON()), err)
	}
	input, err := a.resumeInput([]string{"--input", `{"z":1.0,"a":9007199254740993}`, "--n", "12345678901234567890"}, nil)
	if got := string(input.JSON()); err != nil || got != `{"z":1.0,"a":9007199254740993,"n":12345678901234567890}` {
		t.Error(got, err)
	}
}
