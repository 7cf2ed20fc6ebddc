package scanner

import (
	"math"
	"strings"
	"testing"
)

// block is a homogeneous phantom: 0 dB, 0.5 dB/cm/MHz.
func block(height, width int, kPa float32) *Medium {
	n := height * width
	m := &Medium{Height: height, Width: width, MMPerPx: 0.175,
		EKPa: make([]float32, n), BackscatterDB: make([]float32, n), AttenDBCmMHz: make([]float32, n)}
	for i := range n {
		m.EKPa[i], m.AttenDBCmMHz[i] = kPa, 0.5
	}
	return m
}

// disc sets values within a diameter about a point, both in mm.
func (m *Medium) disc(zMM, xMM, diameterMM float64, set func(i int)) {
	for i := range m.Height * m.Width {
		z, x := m.point(i/m.Width, i%m.Width)
		if math.Hypot(z-zMM, x-xMM) <= diameterMM/2 {
			set(i)
		}
	}
}

// quiet is a scanner without electronic noise, near field and tracking noise.
func quiet(s Scanner) Scanner {
	s.PenetrationMM, s.NearFieldDB = 300, -60
	if s.HasSWE {
		s.TrackingNoise, s.ScaleMaxKPa = 0, 300
	}
	return s
}

func TestImpossibleParametersAreRefusedByName(t *testing.T) {
	box := Box{Top: 10, Left: 10, Bottom: 100, Right: 120}
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		change func(*Scanner, *Medium, *Exam, *Box)
		want   string
	}{
		"negative stiffness":    {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.EKPa[150*7+3] = -1 }, "EKPa is -1 at row 7, column 3"},
		"NaN stiffness":         {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.EKPa[0] = nan }, "EKPa is NaN"},
		"NaN backscatter":       {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.BackscatterDB[9] = nan }, "BackscatterDB"},
		"negative attenuation":  {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.AttenDBCmMHz[9] = -0.1 }, "AttenDBCmMHz"},
		"missing attenuation":   {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.AttenDBCmMHz = nil }, "AttenDBCmMHz holds 0 values"},
		"short mask":            {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.Fluid = make([]bool, 3) }, "Fluid"},
		"reflector, no normals": {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.ReflectorDB = make([]float32, len(m.EKPa)) }, "NormalZ"},
		"no pixels":             {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.Height = 0 }, "0 x 150 pixels"},
		"no pixel size":         {func(_ *Scanner, m *Medium, _ *Exam, _ *Box) { m.MMPerPx = 0 }, "MMPerPx"},
		"box outside":           {func(_ *Scanner, _ *Medium, _ *Exam, b *Box) { b.Right = 151 }, "outside the image"},
		"box inside out":        {func(_ *Scanner, _ *Medium, _ *Exam, b *Box) { b.Top = 120 }, "smaller than"},
		"no elements":           {func(s *Scanner, _ *Medium, _ *Exam, _ *Box) { s.Elements = 0 }, "Elements"},
		"scale of nothing":      {func(s *Scanner, _ *Medium, _ *Exam, _ *Box) { s.ScaleMaxKPa = 0 }, "ScaleMaxKPa"},
		"no frequency":          {func(_ *Scanner, _ *Medium, e *Exam, _ *Box) { e.FrequencyMHz = math.NaN() }, "FrequencyMHz"},
		"no SWE":                {func(s *Scanner, _ *Medium, _ *Exam, _ *Box) { *s = Portable() }, "no shear-wave"},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := EndFire(), block(120, 150, 25)
			ex, b := s.PlainExam(1), box
			c.change(&s, m, &ex, &b)
			if _, err := s.SWE(t.Context(), m, ex, b, "p"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want it to name %q", err, c.want)
			}
		})
	}
	if err := (*Medium)(nil).Validate(); err == nil {
		t.Error("a nil medium passed")
	}
}

func TestPresetsAreFoundByNameAndValid(t *testing.T) {
	for _, name := range Names() {
		s, err := Named(name)
		if err != nil || s.Name != name {
			t.Errorf("Named(%q) = %q, %v", name, s.Name, err)
		}
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		for seed := range uint64(50) {
			if err := s.Exam(seed).Validate(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Named("toy"); err == nil || !strings.Contains(err.Error(), "endfire-a") {
		t.Errorf("an unknown scanner should name the known ones, got %v", err)
	}
}

func TestExamSettingsComeFromIndependentStreams(t *testing.T) {
	a, b := EndFire().Exam(1), EndFireB().Exam(1)
	if a.GainDB != b.GainDB || a.DepthMM != b.DepthMM {
		t.Error("the same seed should hold the probe alike on two scanners")
	}
	if c := EndFire().Exam(2); c.GainDB == a.GainDB || c.SliderDB == a.SliderDB {
		t.Error("two seeds gave the same exam")
	}
}
