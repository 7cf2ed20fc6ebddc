package sswe

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"elastography/data"
)

// BenchmarkTrainingByCohortSize trains on 100, 1,000 and 10,000 planes in turn, five steps each, since a machine's speed changes
// while it is measured: medians of images a second, the median of the ratios to 100 planes within a turn, and the memory of the
// process's own that each training adds. What it prints, neither should grow with the cohort.
//
//	go test ./sswe -run xxx -bench TrainingByCohortSize -benchtime 20x -timeout 30m
func BenchmarkTrainingByCohortSize(b *testing.B) {
	const steps = 5
	c, sizes := Paper(), []int{100, 1000, 10000}
	fits, rates, ratios, added := make([]*fit, len(sizes)), make([][]float64, len(sizes)), make([][]float64, len(sizes)), make([]int64, len(sizes))
	for k, planes := range sizes {
		cohort, err := noisyCohort(b.TempDir(), c, planes)
		if err != nil {
			b.Fatal(err)
		}
		before := ownMemoryMB()
		samples, _, err := cohort.Samples(b.Context(), data.Train, c.Grid, false)
		if err != nil {
			b.Fatal(err)
		}
		m, err := newModel(backend, c, nil, 20)
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		if fits[k], err = newFit(&Trainer{Backend: backend, Config: c}, m, samples); err != nil {
			b.Fatal(err)
		}
		defer fits[k].close()
		if _, err := fits[k].step(0, 1e-4); err != nil { // compiles
			b.Fatal(err)
		}
		added[k] = ownMemoryMB() - before
	}
	b.ResetTimer()
	for turn := range b.N {
		for k, f := range fits {
			start := time.Now()
			for i := range steps {
				if _, err := f.step(1+turn*steps+i, 1e-4); err != nil {
					b.Fatal(err)
				}
			}
			rates[k] = append(rates[k], float64(steps*c.Training.BatchSize)/time.Since(start).Seconds())
			ratios[k] = append(ratios[k], rates[k][turn]/rates[0][turn])
		}
	}
	for k, planes := range sizes {
		b.ReportMetric(median(rates[k]), fmt.Sprintf("images/s_%d", planes))
		b.ReportMetric(median(ratios[k]), fmt.Sprintf("ratio_%d", planes))
		b.ReportMetric(float64(added[k]), fmt.Sprintf("MB_%d", planes))
	}
}

// noisyCohort is one plane of noise under many names, on the network's grid.
func noisyCohort(dir string, c Config, planes int) (*data.Cohort, error) {
	rng, n := stream(1, "noisy cohort"), c.Grid.Pixels()
	one := data.Plane{Organ: "prostate", Scanner: "noise", Source: data.Simulated, MMPerPx: c.Grid.MMPerPx, ScaleMaxKPa: 70,
		Height: c.Grid.Height, Width: c.Grid.Width, BMode: make([]uint8, n),
		SWEKPa: make([]float32, n), Saturated: make([]bool, n), Confidence: make([]float32, n), Labels: make([]uint8, n)}
	for i := range n {
		one.BMode[i], one.SWEKPa[i], one.Confidence[i] = uint8(rng.IntN(256)), 10+50*rng.Float32(), 1
	}
	list := make([]*data.Plane, planes)
	for i := range list {
		p := one
		p.Patient, p.Name = fmt.Sprintf("p%05d", i/3), fmt.Sprint("plane", i%3)
		list[i] = &p
	}
	return data.Save(dir, list, func(string) data.Split { return data.Train }, nil, "noise, to time training on\n")
}

// ownMemoryMB is what of the process's memory is not a mapped file's.
func ownMemoryMB() (mb int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fmt.Sscan(rest, &mb) //nolint:errcheck // 0 where the system does not tell
	return mb / 1024
}
