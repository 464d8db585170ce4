package core

import (
	"bytes"
	"sync"
	"testing"
)

// IDs of one process ascend, also those of several goroutines and of one millisecond.
func TestIDsAscend(t *testing.T) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[UUID]bool{}
	for range 4 {
		wg.Go(func() {
			own := make([]UUID, 20_000)
			for i := range own {
				own[i] = NewID()
			}
			mu.Lock()
			defer mu.Unlock()
			for i, id := range own {
				if seen[id] {
					t.Errorf("%s twice", id)
				}
				if seen[id] = true; i > 0 && bytes.Compare(own[i-1][:], id[:]) >= 0 {
					t.Fatalf("%s after %s", id, own[i-1])
				}
			}
		})
	}
	wg.Wait()
	before := Now()
	if at := NewID().Time(); at.Add(1e9).Before(before) || at.After(Now().Add(1e9)) {
		t.Errorf("an ID of %s, made at %s", at, before)
	}
}

func TestParseUUID(t *testing.T) {
	const id = "0190163d-8694-739b-aea5-966c26f8ad91"
	for text, want := range map[string]bool{
		id: true, "0190163D-8694-739B-AEA5-966C26F8AD91": true, "0190163d8694739baea5966c26f8ad91": true,
		"": false, "x": false, "{" + id + "}": false, "urn:uuid:" + id: false, id + "0": false, id[:35]: false,
		"0190163d-8694-739b-aea5_966c26f8ad91": false, "g190163d-8694-739b-aea5-966c26f8ad91": false,
	} {
		u, err := ParseUUID(text)
		if (err == nil) != want || want && u.String() != id {
			t.Errorf("%q: %s, %v", text, u, err)
		}
	}
}

func BenchmarkNewID(b *testing.B) {
	for b.Loop() {
		NewID()
	}
}
