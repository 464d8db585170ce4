package deployment

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/form"
)

// previewed is how many fire times a page shows.
const previewed = 5

var units = []struct {
	name string
	d    time.Duration
}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}}

// schedulePage is the form of a new schedule or of one that there is. With the
// form's own values in the query it shows when they would fire.
func (u *UI) schedulePage(w http.ResponseWriter, r *http.Request) error {
	p, f, stored, err := u.readScheduleForm(w, r)
	if err != nil {
		return err
	}
	f, _ = fillSchedule(p, f, stored, r.URL.Query())
	if page.HX(r) {
		return u.Send(w, r, views.ScheduleNext(p, f))
	}
	return u.Send(w, r, views.SchedulePage(p, f))
}

func (u *UI) saveSchedule(w http.ResponseWriter, r *http.Request) error {
	p, f, stored, err := u.readScheduleForm(w, r)
	if err != nil {
		return err
	}
	f, rule := fillSchedule(p, f, stored, r.PostForm)
	id := f.Deployment.ID
	switch {
	case rule == nil, f.Untouched:
	case stored == nil:
		_, err = u.Service.CreateSchedules(r.Context(), id, []core.ScheduleCreate{{Rule: rule.JSON(), Active: core.Some(true)}})
	default:
		err = u.Service.UpdateSchedule(r.Context(), id, stored.ID, core.ScheduleUpdate{Rule: core.Some(rule.JSON())})
	}
	if _, bad := page.Invalid(err); bad {
		f.Problem, err, rule = err.Error(), nil, nil
	}
	if err != nil {
		return err
	}
	if rule == nil {
		if page.HX(r) {
			return u.SendCode(w, r, http.StatusUnprocessableEntity, views.ScheduleFormC(p, f))
		}
		return u.SendCode(w, r, http.StatusUnprocessableEntity, views.SchedulePage(p, f))
	}
	u.Flash(w, f.Deployment.FullName()+" runs by "+rule.Describe()+".")
	return u.Redirect(w, r, "/deployments/"+id.String())
}

func (u *UI) deleteSchedule(w http.ResponseWriter, r *http.Request) error {
	_, f, stored, err := u.readScheduleForm(w, r)
	if err != nil {
		return err
	}
	if stored == nil {
		return core.NotFound("Schedule")
	}
	if err := u.Service.DeleteSchedule(r.Context(), f.Deployment.ID, stored.ID); err != nil {
		return err
	}
	u.Flash(w, "Schedule deleted.")
	return u.Redirect(w, r, "/deployments/"+f.Deployment.ID.String())
}

// readScheduleForm finds deployment and schedule; "new" has none.
func (u *UI) readScheduleForm(
	w http.ResponseWriter,
	r *http.Request,
) (p views.Page, f views.ScheduleForm, stored *core.Schedule, err error) {
	if p, f.Deployment, err = u.deploymentPage(w, r, "Schedule of "); err != nil {
		return p, f, nil, err
	}
	which := r.PathValue("schedule")
	if which == "new" {
		return p, f, nil, nil
	}
	id, err := core.ParseUUID(which)
	i := slices.IndexFunc(f.Deployment.Deployment.Schedules, func(s *core.Schedule) bool { return err == nil && s.ID == id })
	if i < 0 {
		return p, f, nil, core.NotFound("Schedule")
	}
	f.ID = id.String()
	return p, f, f.Deployment.Deployment.Schedules[i], nil
}

// fillSchedule fills the form from the stored rule and what was typed over it.
// The rule is nil while something is wrong, which the fields then say.
func fillSchedule(p views.Page, f views.ScheduleForm, stored *core.Schedule, typed url.Values) (views.ScheduleForm, *schedule.Rule) {
	field := func(name, title, hint string, kind form.Kind, value string) form.Field {
		return form.Field{Name: name, Title: title, Desc: hint, Kind: kind, Value: value}
	}
	old := oldRule(stored, p.Loc)
	f.Kind = old.kind
	if k := typed.Get("kind"); k != "" {
		f.Kind = k
	}
	unit := field("unit", "Unit", "", form.Enum, old.unit)
	unit.Required = true
	for _, u := range units {
		unit.Enum = append(unit.Enum, u.name)
	}
	fields := page.Fill("s-", []form.Field{
		field("cron", "Cron expression", "Minute, hour, day of month, month, day of week: 0 9 * * 1-5 is every working day at nine.",
			form.String, old.cron),
		field("every", "Every", "", form.Number, old.every),
		unit,
		field("anchor", "Counted from", "In the time zone below; from now on if left empty.", form.DateTime, old.anchor),
		field("rrule", "Recurrence rule", "By RFC 5545: FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17 is the last Friday of a month at five.",
			form.Text, old.rrule),
		field("zone", "Time zone", "An IANA name such as Europe/Berlin.", form.String, old.zone),
	}, typed)
	f.Cron, f.Every, f.Unit, f.Anchor, f.RRule, f.Zone = fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]
	if f.Untouched = stored != nil && f.Kind == old.kind && !form.Touched(fields); f.Untouched {
		if rule, err := schedule.Parse(stored.Rule); err == nil {
			f.Text, f.Next = rule.Describe(), rule.Between(p.Now, 0, previewed)
			return f, rule
		}
	}
	for _, x := range fields {
		if x.Error != "" {
			return f, nil
		}
	}
	rule, err := schedule.Parse(newRule(f, old))
	if err == nil {
		f.Text, f.Next = rule.Describe(), rule.Between(p.Now, 0, previewed)
		if !senseless(&f, rule.Ended(p.Now)) {
			return f, rule
		}
		return f, nil
	}
	if stored == nil && len(typed) == 0 {
		return f, nil // nothing was asked yet
	}
	markSchedule(&f, err)
	return f, nil
}

// senseless marks what the API takes, as Prefect's does, and nobody can mean.
func senseless(f *views.ScheduleForm, ended string) bool {
	at := map[string]*form.Field{"cron": &f.Cron, "interval": &f.Every, "rrule": &f.RRule}[f.Kind]
	switch n, err := strconv.ParseFloat(f.Every.Value, 64); {
	case f.Kind == "interval" && err == nil && n < 1 && f.Unit.Value == "seconds":
		at.Error = "At least one second."
	case ended != "":
		at.Error = "It never fires again: " + ended + "."
	}
	return at.Error != ""
}

// ruleParts are a stored rule as the form shows it.
type ruleParts struct {
	kind, cron, every, unit, anchor, rrule, zone string
	rule                                         core.Object
}

func oldRule(stored *core.Schedule, loc *time.Location) ruleParts {
	r := ruleParts{kind: "cron", unit: "minutes", zone: loc.String()}
	if stored == nil {
		return r
	}
	r.rule, _ = stored.Rule.Object()
	text := func(key string) (s string) {
		_ = json.Unmarshal(r.rule.Raw(key), &s)
		return s
	}
	if r.zone = text("timezone"); r.zone == "" {
		r.zone = "UTC"
	}
	switch {
	case !r.rule.Raw("cron").IsNull():
		r.cron = text("cron")
	case !r.rule.Raw("rrule").IsNull():
		r.kind, r.rrule = "rrule", text("rrule")
	default:
		r.kind = "interval"
		seconds, _ := strconv.ParseFloat(string(r.rule.Raw("interval")), 64)
		for _, u := range units {
			if n := seconds / u.d.Seconds(); n == float64(int64(n)) || u.d == time.Second {
				r.every, r.unit = strconv.FormatFloat(n, 'f', -1, 64), u.name
				break
			}
		}
		if at, err := core.ParseTime(text("anchor_date")); err == nil {
			zone, err := time.LoadLocation(r.zone)
			if err != nil {
				zone = time.UTC
			}
			r.anchor = at.Time().In(zone).Format("2006-01-02T15:04:05")
		}
	}
	return r
}

// newRule is the rule that the form asks for; what it does not show, and what
// nobody touched, stays as it is stored.
func newRule(f views.ScheduleForm, old ruleParts) core.JSON {
	rule := slices.Clone(old.rule)
	if f.Kind != old.kind || rule == nil {
		rule = core.Object{}
	}
	put := func(key string, v any, touched bool) {
		if _, has := rule.Get(key); touched || !has {
			rule.Set(key, v)
		}
	}
	if f.Zone.Touched || len(rule) == 0 {
		rule.Set("timezone", page.Word(&f.Zone))
	}
	switch f.Kind {
	case "cron":
		put("cron", page.Word(&f.Cron), f.Cron.Touched)
	case "rrule":
		put("rrule", f.RRule.Value, f.RRule.Touched)
	case "interval":
		var every any = f.Every.Value // refused by its name if it is no number
		if n, err := strconv.ParseFloat(page.Word(&f.Every), 64); err == nil {
			i := max(0, slices.Index(f.Unit.Enum, f.Unit.Value))
			every = core.JSON(strconv.FormatFloat(n*units[i].d.Seconds(), 'f', -1, 64))
		}
		put("interval", every, f.Every.Touched || f.Unit.Touched)
		if f.Anchor.Value == "" {
			rule.Delete("anchor_date")
			break
		}
		var anchor any = f.Anchor.Value
		if zone, err := time.LoadLocation(page.Word(&f.Zone)); err == nil {
			if at, err := page.ParseLocal(f.Anchor.Value, zone); err == nil {
				anchor = core.TimeFrom(at)
			}
		}
		put("anchor_date", anchor, f.Anchor.Touched)
	}
	return rule.JSON()
}

// markSchedule writes what is wrong beside the field that it is about.
func markSchedule(f *views.ScheduleForm, err error) {
	at := map[string]*form.Field{"cron": &f.Cron, "interval": &f.Every, "anchor_date": &f.Anchor, "rrule": &f.RRule, "timezone": &f.Zone}
	if e, ok := page.Invalid(err); ok && len(e.Fields) > 0 && len(e.Fields[0].Loc) > 1 {
		if field := at[fmt.Sprint(e.Fields[0].Loc[1])]; field != nil {
			field.Error = e.Message
			return
		}
	}
	f.Problem = err.Error()
}
