package scanner

import "testing"

// The reference plane: 256 x 384 pixels of 0.175 mm, a box of 35 x 30 mm, with a
// stone so that the attenuation paths are walked.
func referencePlane() (*Medium, Box) {
	m := block(256, 384, 25)
	m.disc(20, 5, 1, func(i int) { m.AttenDBCmMHz[i] = 10 })
	return m, Box{Top: 20, Left: 92, Bottom: 192, Right: 292}
}

func BenchmarkBMode(b *testing.B) {
	for _, s := range presets() {
		b.Run(s.Name, func(b *testing.B) {
			m, _ := referencePlane()
			for b.Loop() {
				if _, err := s.BMode(b.Context(), m, s.PlainExam(1), "bench"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
		})
	}
}

func BenchmarkSWE(b *testing.B) {
	for _, s := range []Scanner{EndFire(), EndFireB()} {
		b.Run(s.Name, func(b *testing.B) {
			m, box := referencePlane()
			for b.Loop() {
				if _, err := s.SWE(b.Context(), m, s.PlainExam(1), box, "bench"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
		})
	}
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
