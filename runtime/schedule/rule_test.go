package schedule

import (
	"strconv"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestBetween(t *testing.T) {
	for name, c := range map[string]struct{ rule, after, want string }{
		"interval":                   {`{"interval":3600,"anchor_date":"2026-01-01T00:30:00Z"}`, "2026-03-01T10:30:00Z", "2026-03-01T11:30:00Z 2026-03-01T12:30:00Z"},
		"interval before anchor":     {`{"interval":60,"anchor_date":"2026-01-01T00:00:30Z"}`, "2025-12-31T23:00:00Z", "2025-12-31T23:00:30Z 2025-12-31T23:01:30Z"},
		"iso interval":               {`{"interval":"PT15M","anchor_date":"2026-01-01T00:00:00"}`, "2026-01-01T00:00:01Z", "2026-01-01T00:15:00Z 2026-01-01T00:30:00Z"},
		"daily interval, spring":     {`{"interval":86400,"anchor_date":"2026-03-27T08:00:00Z","timezone":"Europe/Berlin"}`, "2026-03-28T00:00:00Z", "2026-03-28T08:00:00Z 2026-03-29T07:00:00Z 2026-03-30T07:00:00Z"},
		"daily interval, autumn":     {`{"interval":86400,"anchor_date":"2026-10-20T07:00:00Z","timezone":"Europe/Berlin"}`, "2026-10-24T00:00:00Z", "2026-10-24T07:00:00Z 2026-10-25T08:00:00Z"},
		"hourly interval, DST":       {`{"interval":3600,"anchor_date":"2026-03-08T00:00:00Z","timezone":"America/New_York"}`, "2026-03-08T05:30:00Z", "2026-03-08T06:00:00Z 2026-03-08T07:00:00Z 2026-03-08T08:00:00Z"},
		"cron":                       {`{"cron":"0 9 * * 1-5"}`, "2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z 2026-11-24T09:00:00Z"},
		"cron with a zone":           {`{"cron":"0 9 * * *","timezone":"Europe/Berlin"}`, "2026-10-24T00:00:00Z", "2026-10-24T07:00:00Z 2026-10-25T08:00:00Z"},
		"cron in the gap":            {`{"cron":"30 2 * * *","timezone":"America/New_York"}`, "2026-03-07T12:00:00Z", "2026-03-08T07:30:00Z 2026-03-09T06:30:00Z"},
		"cron, no midnight":          {`{"cron":"0 0 * * *","timezone":"America/Santiago"}`, "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z 2026-09-07T03:00:00Z"},
		"cron, half an hour of gap":  {`{"cron":"15,30,40 2 * * *","timezone":"Australia/Lord_Howe"}`, "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z 2026-10-03T15:40:00Z 2026-10-03T15:45:00Z 2026-10-04T15:15:00Z"},
		"cron, an hour twice":        {`{"cron":"0 * * * *","timezone":"Europe/Berlin"}`, "2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z 2026-10-25T02:00:00Z"},
		"cron, steps past midnight":  {`{"cron":"0 22-4/2 * * *"}`, "2026-11-19T20:00:00Z", "2026-11-19T22:00:00Z 2026-11-20T00:00:00Z 2026-11-20T02:00:00Z 2026-11-20T04:00:00Z 2026-11-20T22:00:00Z"},
		"cron, from and to the same": {`{"cron":"0 0 1 5-5/4 *"}`, "2026-11-19T20:00:00Z", "2027-01-01T00:00:00Z 2027-05-01T00:00:00Z 2027-09-01T00:00:00Z 2028-01-01T00:00:00Z"},
		"cron, no zone":              {`{"cron":"0 9 * * *","timezone":""}`, "2026-11-19T20:00:00Z", "2026-11-20T09:00:00Z"},
		"36 h, spring":               {`{"interval":129600,"anchor_date":"2026-01-05T07:00:00Z","timezone":"Europe/Berlin"}`, "2026-03-27T12:00:00Z", "2026-03-28T19:00:00Z 2026-03-30T06:00:00Z 2026-03-31T18:00:00Z"},
		"36 h, half a year later":    {`{"interval":129600,"anchor_date":"2026-01-05T07:00:00Z","timezone":"Europe/Berlin"}`, "2026-07-01T12:00:00Z", "2026-07-02T18:00:00Z 2026-07-04T06:00:00Z"},
		"cron twice on the wall":     {`{"cron":"30 1 * * *","timezone":"America/New_York"}`, "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z 2026-11-02T06:30:00Z"},
		"cron in the gap, often":     {`{"cron":"*/30 * * * *","timezone":"America/New_York"}`, "2026-03-08T06:00:00Z", "2026-03-08T06:30:00Z 2026-03-08T07:00:00Z"},
		"cron seconds":               {`{"cron":"0 0 1 1 * */20"}`, "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z 2027-01-01T00:00:20Z 2027-01-01T00:00:40Z"},
		"cron name":                  {`{"cron":"@daily"}`, "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"},
		"cron nth":                   {`{"cron":"0 0 * * MON#1"}`, "2026-11-03T00:00:00Z", "2026-12-07T00:00:00Z 2027-01-04T00:00:00Z"},
		"cron last friday":           {`{"cron":"0 0 * * L5"}`, "2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z 2026-12-25T00:00:00Z"},
		"cron last day":              {`{"cron":"0 0 L * *"}`, "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z 2026-03-31T00:00:00Z"},
		"cron over the weekend":      {`{"cron":"0 0 * * FRI-MON"}`, "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z 2026-11-21T00:00:00Z 2026-11-22T00:00:00Z 2026-11-23T00:00:00Z 2026-11-27T00:00:00Z"},
		"cron sunday is 7":           {`{"cron":"0 0 * * 6-7"}`, "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z 2026-11-22T00:00:00Z 2026-11-28T00:00:00Z"},
		"cron day or weekday":        {`{"cron":"0 0 13 * FRI"}`, "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z 2026-11-13T00:00:00Z 2026-11-20T00:00:00Z"},
		"cron day and weekday":       {`{"cron":"0 0 13 * FRI","day_or":false}`, "2026-03-14T00:00:00Z", "2026-11-13T00:00:00Z"},
		"cron leap day":              {`{"cron":"0 0 29 2 *"}`, "2026-03-14T00:00:00Z", "2028-02-29T00:00:00Z"},
		"rrule":                      {`{"rrule":"FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9"}`, "2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z 2026-11-27T09:00:00Z"},
		"rrule prefix and start":     {`{"rrule":"DTSTART:20261101T120000\nRRULE:FREQ=DAILY;COUNT=3"}`, "2026-11-01T00:00:00Z", "2026-11-01T12:00:00Z 2026-11-02T12:00:00Z 2026-11-03T12:00:00Z"},
		"rrule exdate":               {`{"rrule":"DTSTART:20261101T120000\nRRULE:FREQ=DAILY\nEXDATE:20261102T120000"}`, "2026-11-01T00:00:00Z", "2026-11-01T12:00:00Z 2026-11-03T12:00:00Z"},
		"rrule zone":                 {`{"rrule":"FREQ=DAILY;BYHOUR=9","timezone":"Europe/Berlin"}`, "2026-10-24T00:00:00Z", "2026-10-24T07:00:00Z 2026-10-25T08:00:00Z"},
		"rrule every minute":         {`{"rrule":"FREQ=MINUTELY;INTERVAL=7"}`, "2020-01-01T00:07:00Z", "2020-01-01T00:14:00Z 2020-01-01T00:21:00Z"},
		"rrule, a month of seconds":  {`{"rrule":"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=` + upTo(24) + `;BYMINUTE=` + upTo(60) + `;BYSECOND=` + upTo(60) + `"}`, "2026-11-30T23:59:58Z", "2026-11-30T23:59:59Z 2026-12-01T00:00:00Z"},
		"rrule with repeats":         {`{"rrule":"FREQ=DAILY;BYHOUR=9,1,9` + strings.Repeat(",1", 800) + `;BYMINUTE=0` + strings.Repeat(",0", 800) + `;BYSECOND=0` + strings.Repeat(",0", 800) + `"}`, "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z 2026-11-01T09:00:00Z"},
		"rrule counted times":        {`{"rrule":"DTSTART:20261101T100000\nRRULE:FREQ=DAILY;COUNT=3;BYHOUR=9,11"}`, "2026-11-01T00:00:00Z", "2026-11-01T11:00:00Z 2026-11-02T09:00:00Z 2026-11-02T11:00:00Z"},
		"rrule until":                {`{"rrule":"FREQ=DAILY;BYHOUR=9,11;UNTIL=20261102T100000Z"}`, "2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z 2026-11-02T09:00:00Z"},
		"rrule leap day":             {`{"rrule":"DTSTART:20000229T080000\nRRULE:FREQ=YEARLY"}`, "2026-11-01T00:00:00Z", "2028-02-29T08:00:00Z 2032-02-29T08:00:00Z"},
		"rrule from 1900":            {`{"rrule":"DTSTART:19000131T080000\nRRULE:FREQ=MONTHLY;INTERVAL=5"}`, "2026-11-01T00:00:00Z", "2027-07-31T08:00:00Z 2027-12-31T08:00:00Z"},
		"rrule last working day":     {`{"rrule":"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=8,17"}`, "2026-11-01T00:00:00Z", "2026-11-30T17:00:00Z 2026-12-31T17:00:00Z"},
		"rrule easter":               {`{"rrule":"FREQ=YEARLY;BYEASTER=0"}`, "2026-11-01T00:00:00Z", "2027-03-28T00:00:00Z 2028-04-16T00:00:00Z"},
		"rrule monthly":              {`{"rrule":"FREQ=MONTHLY;BYDAY=-1FR"}`, "2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z 2026-12-25T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(core.JSON(c.rule))
			if err != nil {
				t.Fatal(err)
			}
			after, _ := core.ParseTime(c.after)
			want := strings.Fields(c.want)
			got := r.Between(after, 0, len(want))
			for i, w := range want {
				if i >= len(got) || got[i].String() != w {
					t.Fatalf("got %v, want %v", got, want)
				}
			}
			again, err := Parse(r.JSON())
			if err != nil || len(again.Between(after, 0, 1)) == 0 || again.Between(after, 0, 1)[0] != got[0] {
				t.Fatalf("normalised %s: %v", r.JSON(), err)
			}
			bounded := r.Between(after, got[len(got)-1], 1000)
			if len(bounded) != len(got) {
				t.Fatalf("until is inclusive: %v", bounded)
			}
		})
	}
}

func upTo(n int) string {
	var list []string
	for i := range n {
		list = append(list, strconv.Itoa(i))
	}
	return strings.Join(list, ",")
}

func TestParseRefuses(t *testing.T) {
	for rule, want := range map[string]string{
		`[]`:                                "a schedule is an object",
		`{}`:                                "interval, cron, rrule",
		`{"cron":"* * * * *","interval":1}`: "not several",
		`{"cron":"* * * * *","x":1}`:        `"x" is not a key`,
		`{"cron":"61 * * * *"}`:             `the minute field "61"`,
		`{"cron":"* * * *"}`:                "has 4 fields",
		`{"cron":"* R * * *"}`:              "R and H",
		`{"cron":"@every 5s"}`:              "is not known",
		`{"cron":"0 0 30 2 *"}`:             "never matches",
		`{"cron":"* * * * *","timezone":"Mars/Olympus"}`: "IANA",
		`{"interval":0}`:                                                                                "greater than 0",
		`{"interval":"soon"}`:                                                                           "PT15M",
		`{"rrule":"FREQ=HOURLY;INTERVAL=2;BYHOUR=1"}`:                                                   "never matches",
		`{"rrule":"FREQ=SECONDLY;BYSETPOS=2"}`:                                                          "take only",
		`{"rrule":"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}`:                                               "never matches",
		`{"rrule":"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}`:                                                "never matches",
		`{"rrule":"FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1"}`:                                       "never matches",
		`{"rrule":"FREQ=SECONDLY;INTERVAL=86401;BYDAY=SU;BYHOUR=0;BYMINUTE=0;BYSECOND=9"}`:              "never matches", // in 1,100 years
		`{"rrule":"FREQ=YEARLY;BYDAY=MO;BYSETPOS=1;BYHOUR=` + upTo(24) + `;BYMINUTE=` + upTo(60) + `"}`: "BYSETPOS would choose among up to 527040",
		`{"rrule":"FREQ=SOMETIMES"}`:                                                                    "is not valid",
		`{"rrule":"` + strings.Repeat("x", 7000) + `"}`:                                                 "at most 6500",
	} {
		_, err := Parse(core.JSON(rule))
		if core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", rule, err, want)
		}
	}
}

func TestText(t *testing.T) {
	r, err := Parse(core.JSON(`{"cron":"0 9 * * 1-5","timezone":"America/New_York"}`))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := core.ParseTime("2026-11-23T14:00:00Z")
	if got := r.Local(at); got != "2026-11-23 09:00:00-05:00" {
		t.Error(got)
	}
	if got := r.Describe(); got != "0 9 * * 1-5 (America/New_York)" {
		t.Error(got)
	}
	r, _ = Parse(core.JSON(`{"interval":5400,"anchor_date":"2026-11-23T08:56:22.544701Z"}`))
	if got := r.Describe(); got != "every 1 h 30 min" {
		t.Error(got)
	}
	if got := string(r.JSON()); got != `{"interval":5400.0,"anchor_date":"2026-11-23T08:56:22.544701Z","timezone":"UTC"}` {
		t.Error(got)
	}
}

func TestEnded(t *testing.T) {
	now, err := core.ParseTime("2026-11-27T00:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{
		`{"cron":"0 9 * * *"}`:                                           "",
		`{"rrule":"FREQ=WEEKLY;COUNT=3"}`:                                "COUNT counts from 1 January 2020",
		`{"rrule":"DTSTART:20310101T090000\nRRULE:FREQ=WEEKLY;COUNT=3"}`: "",
		`{"rrule":"DTSTART:20210101T090000\nRRULE:FREQ=WEEKLY;COUNT=3"}`: "all its times have passed",
		`{"rrule":"FREQ=DAILY;UNTIL=20200301T000000Z"}`:                  "all its times have passed",
	} {
		r, err := Parse(core.JSON(rule))
		if err != nil {
			t.Fatal(rule, err)
		}
		if got := r.Ended(now); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
}
