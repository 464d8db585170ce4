package embed

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// prunedSetting has the deployments that Prune paused, so that one which is declared
// again resumes, and one that a person paused does not.
const prunedSetting = "embed.pruned"

// prune pauses what no flow of the program declares, and resumes what it paused
// before and is declared again.
func (a *App) prune(ctx context.Context, declared []*core.Deployment) error {
	s := a.server.Service()
	before, err := a.pruned(ctx)
	if err != nil {
		return err
	}
	now := slices.Clone(before)
	names := map[core.UUID]bool{}
	for _, d := range declared {
		names[d.ID] = true
		if !slices.Contains(now, d.ID) {
			continue
		}
		if d.Paused {
			if err := s.ResumeDeployment(ctx, d.ID); err != nil {
				return err
			}
		}
		now = slices.DeleteFunc(now, func(id core.UUID) bool { return id == d.ID })
	}
	if a.cfg.Prune {
		gone, err := a.undeclared(ctx, names)
		if err != nil {
			return err
		}
		for _, d := range gone {
			if err := s.PauseDeployment(ctx, d.ID); err != nil {
				return err
			}
			now = append(now, d.ID)
			a.logger().Info("deployment no longer declared; paused", "deployment", d.FlowName+"/"+d.Name)
		}
	}
	if slices.Equal(before, now) {
		return nil
	}
	return a.server.Store().Write(ctx, func(tx core.Tx) error { return tx.PutSetting(ctx, prunedSetting, core.ToJSON(now)) })
}

func (a *App) pruned(ctx context.Context) (ids []core.UUID, err error) {
	stored, err := a.server.Store().Setting(ctx, prunedSetting)
	if core.IsNotFound(err) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(stored, &ids)
	}
	return ids, err
}

// undeclared are the active deployments of the App's pool that only a program with
// their flow can execute and that this program does not declare.
func (a *App) undeclared(ctx context.Context, declared map[core.UUID]bool) (gone []*core.Deployment, err error) {
	pool := a.cfg.WorkPool
	if pool == "" {
		pool = core.DefaultPool
	}
	f := core.Filters{WorkPools: &core.WorkPoolFilter{Name: &core.TextFilter{Any: []string{pool}}}}
	for offset := 0; ; offset += core.MaxLimit {
		page, err := a.server.Store().Deployments(ctx, f, core.Page{Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			_, command := d.JobVariables.Map()["command"]
			if !d.Paused && !declared[d.ID] && core.Deref(d.Entrypoint) == "" && !command && d.Fetches() == "" {
				gone = append(gone, d)
			}
		}
		if len(page) < core.MaxLimit {
			return gone, nil
		}
	}
}
