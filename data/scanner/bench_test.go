package scanner

import (
	"runtime"
	"testing"
)

// The reference plane: 256 x 384 pixels of 0.175 mm, a box of 35 x 30 mm, with a
// stone so that the attenuation paths are walked.
func referencePlane() (*Medium, Box) {
	m := block(256, 384, 25)
	m.disc(20, 5, 1, func(i int) { m.AttenDBCmMHz[i] = 10 })
	return m, Box{Top: 20, Left: 92, Bottom: 192, Right: 292}
}

// perPlane reports how many planes a second a stage makes, and an upper bound of the memory one takes.
func perPlane(b *testing.B, stage func()) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stage()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		stage()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
	// All that one plane allocates: no less than what it holds at its peak.
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), "MiB/plane")
}

func must[T any](b *testing.B) func(T, error) T {
	return func(v T, err error) T {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}

// BenchmarkBMode compares a whole frame with one transmit of SIMUS over a patch: PyMUST 0.1.9 takes 52 s
// for 20 000 scatterers (facts, section 1). A frame is hundreds of transmits, so this understates it.
func BenchmarkBMode(b *testing.B) {
	const simusTransmitSeconds = 52.0
	for _, s := range presets() {
		b.Run(s.Name, func(b *testing.B) {
			m, _ := referencePlane()
			perPlane(b, func() { must[*BMode](b)(s.BMode(b.Context(), m, s.PlainExam(1), "bench")) })
			b.ReportMetric(simusTransmitSeconds/(b.Elapsed().Seconds()/float64(b.N)), "times-one-SIMUS-transmit")
		})
	}
}

func BenchmarkSWE(b *testing.B) {
	for _, s := range []Scanner{EndFire(), EndFireB(), Linear()} {
		b.Run(s.Name, func(b *testing.B) {
			m, box := referencePlane()
			perPlane(b, func() { must[*Elastogram](b)(s.SWE(b.Context(), m, s.PlainExam(1), box, "bench")) })
		})
	}
}

// BenchmarkSWEStages splits an elastogram: the waves of all pushes, tracking and time of flight, and
// compounding with display, one after the other on one core.
func BenchmarkSWEStages(b *testing.B) {
	s := EndFire()
	m, box := referencePlane()
	e := must[*elastography](b)(s.acquire(m, s.PlainExam(1), box))
	movies, strips := make([][]float32, e.pushes), make([]strip, e.pushes)
	estimates := make([]speedMap, e.pushes)
	for _, stage := range []struct {
		name string
		run  func()
	}{
		{"wave", func() {
			for k := range e.pushes {
				st := e.strip(k)
				recorded := window{spongeCells, spongeCells, spongeCells + e.height, spongeCells + st.width}
				strips[k], movies[k] = st, must[[]float32](b)(st.grid.propagate(b.Context(), e.force(st), e.frames, recorded))
			}
		}},
		{"estimation", func() {
			for k := range e.pushes {
				estimates[k] = must[speedMap](b)(e.estimate(b.Context(), movies[k], strips[k], "bench"))
			}
		}},
		{"compounding", func() { e.show(compound(estimates)) }},
	} {
		b.Run(stage.name, func(b *testing.B) { perPlane(b, stage.run) })
	}
}

// BenchmarkConvolution is the point-spread function alone: what an XLA graph would take over.
func BenchmarkConvolution(b *testing.B) {
	s := EndFire()
	m, _ := referencePlane()
	ex := s.PlainExam(1)
	g := s.newPolarGrid(m, ex)
	bank := must[[]zonePSF](b)(psfBank(b.Context(), newArray(s, ex.FrequencyMHz), g, 0.5, 0, 1))
	field := make(iqImage, g.rows*g.lines)
	for i := range field {
		field[i] = complex(float32(i%7)-3, float32(i%5)-2)
	}
	perPlane(b, func() { must[iqImage](b)(convolve(b.Context(), g, bank, field)) })
	b.Logf("%d rows, %d lines, %d zones, %d taps", g.rows, g.lines, len(bank), bank[0].taps)
}

// BenchmarkWave is one push on the reference box: the elastic solver alone.
func BenchmarkWave(b *testing.B) {
	m, box := referencePlane()
	s := EndFire()
	e := s.newElastography(m, s.PlainExam(1), box)
	st := e.strip(1)
	force := e.force(st)
	for b.Loop() {
		if _, err := st.grid.propagate(b.Context(), force, e.frames, window{20, 20, 30, 30}); err != nil {
			b.Fatal(err)
		}
	}
	cells := float64(st.grid.height * st.grid.width * e.frames * st.grid.stepsPerFrame)
	b.ReportMetric(cells*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcell-steps/s")
}
