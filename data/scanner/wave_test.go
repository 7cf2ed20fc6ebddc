package scanner

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// A teacher shows one push: its wave must arrive as late as its speed says, and its speeds must be
// those that the elastogram is compounded from.
func TestOnePushShowsTheWaveThatTheElastogramIsMadeOf(t *testing.T) {
	s := quiet(EndFire())
	m := block(140, 170, 25)
	box := wholeBox(m)
	w, err := s.Wave(t.Context(), m, s.PlainExam(1), box, "test", 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.VelocityMMS) != len(w.TimesMs)*w.Height*w.Width || len(w.SpeedMS) != w.Height*w.Width {
		t.Fatalf("%d velocities for %d frames of %d x %d", len(w.VelocityMMS), len(w.TimesMs), w.Height, w.Width)
	}
	lateral, arrival := w.Arrivals(12)
	var x, ms []float64
	for i, at := range lateral {
		if d := at - w.PushMM; d > 4 && d < 9 {
			x, ms = append(x, d), append(ms, arrival[i])
		}
	}
	_, slowness := stat.LinearRegression(x, ms, nil, false)
	want := math.Sqrt(25.0 / 3)
	t.Logf("the peak of the wave runs at %.2f m/s, sqrt(E/3rho) is %.2f", 1/slowness, want)
	if math.Abs(1/slowness/want-1) > 0.06 {
		t.Errorf("the peak of the wave runs at %.2f m/s, want %.2f", 1/slowness, want)
	}
	var speeds []float64
	for i, v := range w.SpeedMS {
		if w.Quality[i] > 0.9 {
			speeds = append(speeds, float64(v))
		} else if w.Quality[i] == 0 && !math.IsNaN(float64(v)) {
			t.Fatalf("pixel %d has speed %g without quality", i, v)
		}
	}
	if c := stat.Mean(speeds, nil); math.Abs(c/want-1) > 0.03 {
		t.Errorf("mean speed of one push is %.3f m/s, want %.3f", c, want)
	}
	e := mustSWE(t, s, m, s.PlainExam(1), box)
	mean, _, _ := e.readWithin(everywhere)
	if one := apparentKPa(stat.Mean(speeds, nil)); math.Abs(one/mean-1) > 0.05 {
		t.Errorf("one push reads %.1f kPa, all of them %.1f", one, mean)
	}
}

func TestAWaveThatCannotBeIsRefused(t *testing.T) {
	s := EndFire()
	m := block(110, 130, 25)
	for _, push := range []int{-1, s.Pushes(m, wholeBox(m))} {
		if _, err := s.Wave(t.Context(), m, s.PlainExam(1), wholeBox(m), "p", push); err == nil {
			t.Errorf("push %d was accepted", push)
		}
	}
	if _, err := Portable().Wave(t.Context(), m, Portable().PlainExam(1), wholeBox(m), "p", 0); !errors.Is(err, ErrNoSWE) {
		t.Errorf("a scanner without SWE: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Wave(ctx, m, s.PlainExam(1), wholeBox(m), "p", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}
