package sswe

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"elastography/data"
)

// BenchmarkTrainingByCohortSize trains on 100, 1,000 and 10,000 planes: images a second, and the memory that is the process's
// own. What it prints, neither should grow with the cohort.
//
//	go test ./sswe -run xxx -bench TrainingByCohortSize -benchtime 60x -timeout 30m
func BenchmarkTrainingByCohortSize(b *testing.B) {
	c := Paper()
	for _, planes := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(planes, " planes"), func(b *testing.B) {
			cohort, err := noisyCohort(b.TempDir(), c, planes)
			if err != nil {
				b.Fatal(err)
			}
			samples, _, err := cohort.Samples(b.Context(), data.Train, c.Grid, false)
			if err != nil {
				b.Fatal(err)
			}
			m, err := newModel(backend, c, nil, 20)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			f, err := newFit(&Trainer{Backend: backend, Config: c}, m, samples)
			if err != nil {
				b.Fatal(err)
			}
			defer f.close()
			if _, err := f.step(0, 1e-4); err != nil { // compiles
				b.Fatal(err)
			}
			b.ResetTimer()
			start := time.Now()
			for i := range b.N {
				if _, err := f.step(i+1, 1e-4); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*c.Training.BatchSize)/time.Since(start).Seconds(), "images/s")
			b.ReportMetric(float64(ownMemoryMB()), "MB")
		})
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
