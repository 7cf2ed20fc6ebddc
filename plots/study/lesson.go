package study

import (
	"slices"

	"elastography/data"
	"elastography/plots"
	"elastography/sswe"
)

// Cohort opens the cohort in dir or, where dir is empty, the run's own.
func Cohort(runDir, dir string) (*data.Cohort, error) {
	if dir == "" {
		dir = sswe.Run{Dir: runDir}.CohortDir()
	}
	return data.Open(dir)
}

// Input is the panel of what the network sees of a sample.
func Input(s *data.Sample, title string) plots.LabelledMap {
	g := gray(&sswe.Pair{Sample: *s})
	return plots.LabelledMap{Title: title, Gray: &g}
}

// Stiffness is the panel of a stiffness map on the sample's grid, kPa, on the scale of the scanner that measured it.
func Stiffness(s *data.Sample, title string, kPa []float32) plots.LabelledMap {
	return plots.LabelledMap{Title: title, Unit: "Young's modulus (kPa)", Max: s.ScaleMaxKPa,
		Field: &plots.Map{Height: s.Grid.Height, Width: s.Grid.Width, MMPerPx: s.Grid.MMPerPx, Values: kPa}}
}

// Target is the panel of what the scanner measured of a sample, empty where it measured nothing.
func Target(s *data.Sample, title string) plots.LabelledMap {
	m := field(&sswe.Pair{Sample: *s}, s.TargetKPa)
	return plots.LabelledMap{Title: title, Unit: "Young's modulus (kPa)", Max: s.ScaleMaxKPa, Field: &m}
}

// Softer is the curve of the share of values, kPa, that lie below each whole number from 0 to limitKPa; it has no point
// where there is no value.
func Softer(name string, kPa []float64, limitKPa int) plots.LineSeries {
	sorted := slices.Sorted(slices.Values(kPa))
	s := plots.LineSeries{Name: name}
	for x := 0; x <= limitKPa && len(sorted) > 0; x++ {
		n, _ := slices.BinarySearch(sorted, float64(x))
		s.X, s.Y = append(s.X, float64(x)), append(s.Y, float64(n)/float64(len(sorted)))
	}
	return s
}
