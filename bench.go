package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/google/renameio/v2"
	"golang.org/x/sys/cpu"

	"elastography/kernel/bench"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

type benchCommand struct {
	Preset string `help:"paper, workshop or smoke." default:"paper" placeholder:"NAME"`
	Rounds int    `help:"Turns that each framework gets." default:"7"`
	Steps  int    `help:"Steps in a turn." default:"5"`
	Peers  string `help:"Python with kernel/bench/requirements.txt: compares with PyTorch, JAX and ONNX Runtime." placeholder:"PYTHON" type:"path"`
	Out    string `help:"JSON file to write." placeholder:"FILE" type:"path"`
	Until  string `help:"Only go to the first step or prediction." enum:",step,prediction" default:"" hidden:""`
}

func (benchCommand) Help() string {
	return "Example: go run . bench --peers venv/bin/python --out bench.json\n\n" +
		"All frameworks hold the same weights and see the same images with as many threads as the machine has processors. Outputs are\n" +
		"compared to 1e-4 first, the losses of 20 steps to 1e-3. They take turns; a rate is a median over turns, a ratio the median of\n" +
		"the ratios within turns. Start-up is timed in processes of its own, before anything else runs."
}

// benchResult is what --out writes. Rates are images a second.
type benchResult struct {
	Machine      string                `json:"machine"`
	Preset       string                `json:"preset"`
	Start        startUp               `json:"start"`
	Data         dataRates             `json:"data"`
	PeakMemoryMB int64                 `json:"peak_memory_mb"`
	Rates        map[string]*benchRate `json:"rates"` // by framework; sswe is this program
}

type benchRate struct {
	Version string  `json:"version,omitempty"`
	Train   float64 `json:"train,omitempty"`
	Infer1  float64 `json:"infer_batch_1"`
	InferN  float64 `json:"infer_batch"`
	// LossDifference is the largest from sswe's over the first steps, of the range.
	LossDifference float64 `json:"loss_difference,omitempty"`
	// sswe's rate over this one's, median over turns; 0 where there is nothing to compare.
	TrainRatio  float64 `json:"train_ratio,omitempty"`
	Infer1Ratio float64 `json:"infer_batch_1_ratio,omitempty"`
	InferNRatio float64 `json:"infer_batch_ratio,omitempty"`
}

func (c benchCommand) Run(ctx context.Context) (err error) {
	config, err := sswe.Named(c.Preset)
	if err != nil {
		return err
	}
	if c.Rounds < 1 || c.Steps < 1 {
		return fmt.Errorf("bench: --rounds %d and --steps %d must be positive", c.Rounds, c.Steps)
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	backend, err := sswe.OpenBackend()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	w, err := sswe.NewWorkload(backend, config)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if c.Until != "" {
		return reach(w, c.Until)
	}
	r := benchResult{Machine: machineLine(), Preset: c.Preset, Rates: map[string]*benchRate{}}
	if r.Start, err = c.startUps(ctx); err != nil {
		return err
	}
	if r.Data, err = measureData(ctx); err != nil {
		return err
	}
	engines := []*engine{ownEngine(w, backend)}
	if c.Peers != "" {
		dir, err := os.MkdirTemp("", "sswe-bench-")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer os.RemoveAll(dir)
		if err := w.Write(dir); err != nil {
			return err
		}
		want, err := w.Infer(config.Training.BatchSize)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		if err := c.startJAX(ctx, dir, &r.Start); err != nil {
			return err
		}
		for _, name := range bench.Frameworks() {
			p, err := bench.Start(ctx, c.Peers, name, dir, runtime.NumCPU())
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			defer func() { err = errors.Join(err, p.Close()) }()
			if err := sameOutput(p, want, config.RangeKPa); err != nil {
				return err
			}
			engines = append(engines, peerEngine(p))
		}
	}
	if err := c.measure(ctx, engines, &r, config.Training.BatchSize); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r.PeakMemoryMB = peakMemoryMB()
	r.print(engines, config.Training.BatchSize)
	if c.Out == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(c.Out, append(text, '\n'), 0o644)
}

// engine is one framework under the clock: each function returns the seconds of n calls.
type engine struct {
	name, version string
	train         func(n int) (seconds, losses []float64, err error) // nil where it only infers
	infer         func(images, n int) ([]float64, error)
}

func ownEngine(w *sswe.Workload, backend compute.Backend) *engine {
	return &engine{name: "sswe", version: strings.TrimSpace(backend.Description()),
		train: func(n int) (seconds, losses []float64, err error) {
			for range n {
				start := time.Now()
				loss, err := w.Step()
				if err != nil {
					return nil, nil, err
				}
				seconds, losses = append(seconds, time.Since(start).Seconds()), append(losses, loss)
			}
			return seconds, losses, nil
		},
		infer: func(images, n int) (seconds []float64, err error) {
			for range n {
				start := time.Now()
				if _, err := w.Infer(images); err != nil {
					return nil, err
				}
				seconds = append(seconds, time.Since(start).Seconds())
			}
			return seconds, nil
		}}
}

func peerEngine(p *bench.Peer) *engine {
	e := &engine{name: p.Name, version: p.Version, infer: p.Infer}
	if p.Trains() {
		e.train = p.Train
	}
	return e
}

// sameOutput refuses a peer whose prediction differs by more than 1e-4 of the range. Ours is clipped at 0 kPa.
func sameOutput(p *bench.Peer, want []sswe.Prediction, rangeKPa float64) error {
	pixels := len(want[0].KPa)
	if len(p.Output) != len(want)*pixels {
		return fmt.Errorf("bench: %s predicts %d pixels, sswe %d", p.Name, len(p.Output), len(want)*pixels)
	}
	for i, v := range p.Output {
		if d := math.Abs(max(0, v) - float64(want[i/pixels].KPa[i%pixels])/rangeKPa); !(d < 1e-4) {
			return fmt.Errorf("bench: %s is not the same network: its output differs by %.2g of the range", p.Name, d)
		}
	}
	return nil
}

// measure lets the engines take turns. What is compared are medians within a turn, so that another program's load hits all.
func (c benchCommand) measure(ctx context.Context, engines []*engine, r *benchResult, batch int) error {
	train, one, many := make([][]float64, len(engines)), make([][]float64, len(engines)), make([][]float64, len(engines))
	var losses [][]float64
	lossDifference := make([]float64, len(engines))
	warm := max(20, c.Steps) // also the steps whose losses are compared
	for k, e := range engines {
		var l []float64
		var err error
		if e.train != nil {
			if _, l, err = e.train(warm); err != nil {
				return err
			}
		}
		losses = append(losses, l)
		for i := range l {
			d := math.Abs(l[i] - losses[0][i])
			if !(d <= 1e-3) {
				return fmt.Errorf("%s: loss of step %d is %v, sswe's %v", e.name, i+1, l[i], losses[0][i])
			}
			lossDifference[k] = max(lossDifference[k], d)
		}
		for _, images := range []int{1, batch} {
			if _, err := e.infer(images, 2); err != nil {
				return err
			}
		}
	}
	for range c.Rounds {
		for k, e := range engines {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.train != nil {
				seconds, _, err := e.train(c.Steps)
				if err != nil {
					return err
				}
				train[k] = append(train[k], median(seconds)/float64(batch))
			}
			for images, into := range map[int]*[]float64{1: &one[k], batch: &many[k]} {
				seconds, err := e.infer(images, 2*c.Steps)
				if err != nil {
					return err
				}
				*into = append(*into, median(seconds)/float64(images))
			}
		}
	}
	for k, e := range engines {
		rate := &benchRate{Version: e.version, LossDifference: lossDifference[k], Infer1: 1 / median(one[k]), InferN: 1 / median(many[k])}
		if e.train != nil {
			rate.Train = 1 / median(train[k])
		}
		if k > 0 {
			rate.TrainRatio, rate.Infer1Ratio, rate.InferNRatio = medianRatio(train[k], train[0]), medianRatio(one[k], one[0]), medianRatio(many[k], many[0])
		}
		r.Rates[e.name] = rate
	}
	return nil
}

func medianRatio(a, b []float64) float64 {
	if len(a) == 0 {
		return 0
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

func (r benchResult) print(engines []*engine, batch int) {
	fmt.Printf("%s; preset %s, float32; peak memory %d MB\n", r.Machine, r.Preset, r.PeakMemoryMB)
	r.Start.print()
	r.Data.print()
	fmt.Println()
	fmt.Printf("images/s             train    infer, batch 1    infer, batch %d    sswe against it: train, batch 1, batch %d    loss difference\n", batch, batch)
	number := func(v float64, format string) string {
		if v == 0 {
			return "-"
		}
		return fmt.Sprintf(format, v)
	}
	for _, e := range engines {
		v := r.Rates[e.name]
		fmt.Printf("%-18s %7s %17.1f %17.1f    %s  %s  %s    %s\n", e.name, number(v.Train, "%.1f"), v.Infer1, v.InferN,
			number(v.TrainRatio, "%.2f"), number(v.Infer1Ratio, "%.2f"), number(v.InferNRatio, "%.2f"), number(v.LossDifference, "%.1e"))
	}
}

// machineLine names the processor as far as Go tells.
func machineLine() string {
	simd := cmp.Or(map[bool]string{true: "AVX-512"}[cpu.X86.HasAVX512F], map[bool]string{true: "AVX2"}[cpu.X86.HasAVX2], "no AVX2")
	return fmt.Sprintf("%s/%s, %d processors, %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), simd, runtime.Version())
}

// peakMemoryMB is the most memory this process has held, MB; 0 where the system does not tell.
func peakMemoryMB() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	fmt.Sscan(rest, &kB) //nolint:errcheck // 0 then
	return kB / 1024
}
