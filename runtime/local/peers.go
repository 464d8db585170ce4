package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// peersSeen is how soon a server knows of an automation made on another, of a
// client that another has lost and, if it did not hear of them, of its secrets.
const peersSeen = time.Second

// peers follows what other servers on the database do.
type peers struct {
	s      *Service
	bus    core.Bus
	log    *slog.Logger
	shared func() bool

	mu   sync.Mutex
	quit chan struct{} // nil: it does not follow
	done chan struct{}
}

func (p *peers) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quit != nil || !p.shared() {
		return
	}
	p.quit, p.done = make(chan struct{}), make(chan struct{})
	go func(quit, done chan struct{}) {
		defer close(done)
		p.follow(quit)
	}(p.quit, p.done)
}

// stop returns what is closed once nothing is followed any more.
func (p *peers) stop() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.done
	if p.quit == nil {
		done = make(chan struct{})
		close(done)
		return done
	}
	close(p.quit)
	p.quit = nil
	return done
}

func (p *peers) follow(quit <-chan struct{}) {
	tick := time.NewTicker(peersSeen)
	defer tick.Stop()
	secrets := p.bus.Subscribe(core.TopicSecret, "", 1)
	defer secrets.Close()
	changed := secrets.C()
	waits := p.bus.Subscribe(core.TopicSlot, "", 64)
	defer waits.Close()
	waiting := waits.C()
	automations := p.bus.Subscribe(core.TopicTrigger, "", 1)
	defer automations.Close()
	triggers := automations.C()
	for {
		select {
		case <-quit:
			return
		case _, open := <-changed:
			p.s.ForgetSecrets()
			if !open {
				changed = nil // the server is stopping
			}
		case _, open := <-triggers:
			p.look(p.automations)
			if !open {
				triggers = nil
			}
		case m, open := <-waiting:
			if !open {
				waiting = nil
			} else if m.Wait != nil {
				p.s.NoteWait(*m.Wait)
			}
		case <-tick.C:
			p.s.ForgetSecrets() // word of a change may be lost
			p.look(p.automations)
			p.look(p.s.FollowLost)
		}
	}
}

// look reads what others may have changed.
func (p *peers) look(read func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := read(ctx); err != nil {
		p.log.Debug("changes of other servers not read; trying again", "error", err)
	}
}

// automations loads those that other servers have changed, and notes whether the
// database answers.
func (p *peers) automations(ctx context.Context) error {
	err := p.s.FollowPeers(ctx)
	p.s.ObserveDatabase(err)
	return err
}
