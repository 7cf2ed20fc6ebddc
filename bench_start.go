package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"elastography/kernel/bench"
	"elastography/kernel/pjrt/compiler"
	"elastography/sswe"
)

// The moments that bench times from the start of a process.
const (
	firstStep       = "step"
	firstPrediction = "prediction"
)

// startUp is what a user waits for, seconds from the start of a process. Each is measured in a process of its own.
type startUp struct {
	Step           float64 `json:"first_step_seconds"` // with everything compiled by an earlier process
	StepCold       float64 `json:"first_step_seconds_without_cache"`
	Prediction     float64 `json:"first_prediction_seconds"`
	PredictionCold float64 `json:"first_prediction_seconds_without_cache"`
	SameBits       bool    `json:"same_bits_with_and_without_cache"` // of the step's loss and of the prediction
	JAXStep        float64 `json:"jax_first_step_seconds,omitempty"` // with its own cache filled
	JAXStepCold    float64 `json:"jax_first_step_seconds_without_cache,omitempty"`
}

// reach goes to a first moment and writes what comes out, all digits of it, for the process that waits.
func reach(w *sswe.Workload, moment string) error {
	if moment == firstStep {
		loss, err := w.Step()
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		fmt.Println(loss)
		return nil
	}
	p, err := w.Infer(1)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	sum := 0.0
	for _, v := range p[0].KPa {
		sum += float64(v)
	}
	fmt.Println(sum)
	return nil
}

// startUps times this program's own processes: once to fill the cache, once without it, once with it.
func (c benchCommand) startUps(ctx context.Context) (s startUp, err error) {
	s.SameBits = true
	for moment, into := range map[string][2]*float64{firstStep: {&s.StepCold, &s.Step}, firstPrediction: {&s.PredictionCold, &s.Prediction}} {
		if _, _, err := c.startOne(ctx, moment, true); err != nil {
			return s, err
		}
		var results [2]string
		for k, cached := range []bool{false, true} {
			if *into[k], results[k], err = c.startOne(ctx, moment, cached); err != nil {
				return s, err
			}
		}
		s.SameBits = s.SameBits && results[0] == results[1]
	}
	return s, nil
}

// startOne starts this program until a moment and returns the seconds that took and what came out.
func (c benchCommand) startOne(ctx context.Context, moment string, cached bool) (seconds float64, result string, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, "", fmt.Errorf("bench: %w", err)
	}
	command := exec.CommandContext(ctx, self, "bench", "--preset", c.Preset, "--until", moment)
	command.Stderr = os.Stderr
	if command.Env = os.Environ(); !cached {
		command.Env = append(command.Env, compiler.EnvCache+"=off")
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return 0, "", fmt.Errorf("bench: %w", err)
	}
	start := time.Now()
	if err := command.Start(); err != nil {
		return 0, "", fmt.Errorf("bench: %w", err)
	}
	result, err = bufio.NewReader(out).ReadString('\n')
	seconds = time.Since(start).Seconds()
	if err := errors.Join(err, command.Wait()); err != nil {
		return 0, "", fmt.Errorf("bench: a process until its first %s: %w", moment, err)
	}
	return seconds, strings.TrimSpace(result), nil
}

// startJAX times JAX's processes to their first step, with an empty cache of their own and with the filled one.
func (c benchCommand) startJAX(ctx context.Context, folder string, s *startUp) (err error) {
	for _, into := range []*float64{&s.JAXStepCold, &s.JAXStep} {
		if *into, err = bench.FirstStep(ctx, c.Peers, "jax", folder); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

func (s startUp) print() {
	same := "the same bits"
	if !s.SameBits {
		same = "DIFFERENT BITS"
	}
	fmt.Printf("seconds from a process's start: first training step %.1f (%.1f without the compilation cache), first prediction %.1f (%.1f), %s with and without\n",
		s.Step, s.StepCold, s.Prediction, s.PredictionCold, same)
	if s.JAXStep > 0 {
		fmt.Printf("  JAX to its first training step: %.1f with its own cache filled, %.1f with it empty\n", s.JAXStep, s.JAXStepCold)
	}
}
