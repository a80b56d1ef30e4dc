package main

import (
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// Of so many calls the latencies are kept, spread evenly over the run.
const samplesMax = 200_000

// Counts what ends after the ramp and before the end. Many goroutines may use it at once.
type tally struct {
	begins time.Time // end of the ramp
	ends   time.Time // zero: with the last call

	mutex        sync.Mutex
	rpcs, trials int64
	timed        int64     // calls that waited for nobody
	every        int64     // samples[i] is the latency of timed call i*every
	samples      []float64 // ms
	maxMs        float64
}

type figures struct {
	RPCs    int64   `json:"rpcs"`
	Trials  int64   `json:"trials"`
	Seconds float64 `json:"seconds"`
	P50Ms   float64 `json:"p50Ms"`
	P99Ms   float64 `json:"p99Ms"`
	MaxMs   float64 `json:"maxMs"`
}

func newTally(begins, ends time.Time) *tally {
	return &tally{begins: begins, ends: ends, every: 1}
}

func (t *tally) isCounting() bool {
	now := time.Now()
	return !now.Before(t.begins) && (t.ends.IsZero() || now.Before(t.ends))
}

// Counts a call that has ended now; how long it took says nothing of the tuner if it waited for other clients.
func (t *tally) addCall(took time.Duration, waited bool) {
	if !t.isCounting() {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.rpcs++
	if waited {
		return
	}
	ms := took.Seconds() * 1000
	t.maxMs = max(t.maxMs, ms)
	if t.timed%t.every == 0 {
		if len(t.samples) == samplesMax {
			t.thin()
		}
		t.samples = append(t.samples, ms)
	}
	t.timed++
}

// Every second sample goes.
func (t *tally) thin() {
	for i := range samplesMax / 2 {
		t.samples[i] = t.samples[2*i]
	}
	t.samples = t.samples[:samplesMax/2]
	t.every *= 2
}

// Counts a trial that has ended now. Returns how many have; 0 where nothing is counted.
func (t *tally) addTrial() int64 {
	if !t.isCounting() {
		return 0
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.trials++
	return t.trials
}

func (t *tally) trialsEnded() int64 {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.trials
}

// How long has been counted; negative in the ramp.
func (t *tally) elapsed() time.Duration {
	return time.Since(t.begins)
}

// What has been counted until now.
func (t *tally) figures() (figures, error) {
	counted := t.elapsed()
	if !t.ends.IsZero() {
		counted = min(counted, t.ends.Sub(t.begins))
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.samples) == 0 {
		return figures{}, errors.New("no call ended after the ramp: there is nothing to measure")
	}
	sorted := slices.Sorted(slices.Values(t.samples))
	return figures{RPCs: t.rpcs, Trials: t.trials, Seconds: counted.Seconds(), P50Ms: quantile(sorted, 0.5), P99Ms: quantile(sorted, 0.99), MaxMs: t.maxMs}, nil
}

// The value below which a share of the samples lies, interpolated between neighbours as in lib/statistics.mjs.
func quantile(sorted []float64, share float64) float64 {
	at := share * float64(len(sorted)-1)
	below, above := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	return below + (above-below)*(at-math.Floor(at))
}
