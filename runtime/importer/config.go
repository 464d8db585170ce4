package importer

import (
	"context"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

func (i *importer) flows(ctx context.Context, p *Part) error {
	return i.copyNamed(ctx, p, "/flows/filter", "/flows/", func(o object) (object, string) {
		return pick(o, "name", "tags", "labels"), ""
	})
}

func (i *importer) workPools(ctx context.Context, p *Part) error {
	return i.copyNamed(ctx, p, "/work_pools/filter", "/work_pools/", func(o object) (object, string) {
		return pick(o, "name", "description", "type", "base_job_template", "is_paused", "concurrency_limit"), ""
	})
}

// workQueues: a pool's default queue comes with the pool and is changed only
// where this import made the pool.
func (i *importer) workQueues(ctx context.Context, p *Part) error {
	pools, err := all(ctx, i.From, "/work_pools/filter", nil)
	if err != nil {
		return err
	}
	var rows []object
	have := map[string]object{}
	name := func(o object) string { return text(o, "work_pool_name") + "/" + text(o, "name") }
	for _, pool := range pools {
		if i.ids[text(pool, "id")] == "" {
			continue // the pool was skipped, and said so
		}
		path := "/work_pools/" + core.PathSegment(byName(pool)) + "/queues/filter"
		queues, err := all(ctx, i.From, path, nil)
		if err != nil {
			return err
		}
		rows = append(rows, queues...)
		there, err := all(ctx, i.To, path, nil)
		if err != nil {
			return err
		}
		for _, q := range there {
			have[name(q)] = q
		}
	}
	return i.each(ctx, p, rows, name, func(q object) error {
		path := "/work_pools/" + core.PathSegment(text(q, "work_pool_name")) + "/queues/"
		body := pick(q, "name", "description", "is_paused", "concurrency_limit", "priority")
		if t, ok := have[name(q)]; ok {
			i.known(q, t)
			if text(q, "name") == "default" && t["concurrency_limit"] == nil && t["is_paused"] == false &&
				(q["concurrency_limit"] != nil || q["is_paused"] == true) {
				delete(body, "name")
				delete(body, "priority")
				if err := call(ctx, i.To, "PATCH", path+"default", body, nil); err != nil {
					return err
				}
				p.Created++
				return nil
			}
			p.Kept++
			return nil
		}
		var made object
		if err := call(ctx, i.To, "POST", path, body, &made); err != nil {
			return err
		}
		p.Created++
		i.known(q, made)
		return nil
	})
}

func (i *importer) variables(ctx context.Context, p *Part) error {
	return i.copyNamed(ctx, p, "/variables/filter", "/variables/", func(o object) (object, string) {
		return pick(o, "name", "value", "tags"), ""
	})
}

// limits: those of deployments come with their deployment, those of tags after.
func (i *importer) limits(ctx context.Context, p *Part) error {
	rows, err := all(ctx, i.From, "/v2/concurrency_limits/filter", nil)
	if err != nil {
		return err
	}
	there, err := all(ctx, i.To, "/v2/concurrency_limits/filter", nil)
	if err != nil {
		return err
	}
	have := index(there, byName)
	var own []object
	for _, l := range rows {
		if !strings.HasPrefix(byName(l), "deployment:") && !strings.HasPrefix(byName(l), "tag:") {
			own = append(own, l)
		}
	}
	return i.each(ctx, p, own, byName, func(l object) error {
		if t, ok := have[byName(l)]; ok {
			p.Kept++
			i.known(l, t)
			return nil
		}
		var made object
		if err := call(
			ctx,
			i.To,
			"POST",
			"/v2/concurrency_limits/",
			pick(l, "name", "limit", "active", "slot_decay_per_second"),
			&made,
		); err != nil {
			return err
		}
		p.Created++
		i.known(l, made)
		return nil
	})
}

func (i *importer) tagLimits(ctx context.Context, p *Part) error {
	rows, err := all(ctx, i.From, "/concurrency_limits/filter", nil)
	if err != nil {
		return err
	}
	there, err := all(ctx, i.To, "/concurrency_limits/filter", nil)
	if err != nil {
		return err
	}
	tag := func(o object) string { return text(o, "tag") }
	have := index(there, tag)
	return i.each(ctx, p, rows, tag, func(l object) error {
		if _, ok := have[tag(l)]; ok {
			p.Kept++
			return nil
		}
		p.Created++
		return call(ctx, i.To, "POST", "/concurrency_limits/", pick(l, "tag", "concurrency_limit"), nil)
	})
}
