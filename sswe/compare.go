package sswe

import "fmt"

// Compare is the error of a minus the error of b on the same planes, the mean over planes, with its paired interval over
// patients, kPa: below 0 where a is better. Planes are matched by patient and name; a plane that only one has is an error.
func Compare(c Config, a, b []PlaneError) (Difference, error) {
	if len(a) != len(b) {
		return Difference{}, fmt.Errorf("compare: %d planes with %d", len(a), len(b))
	}
	errorOf := make(map[string]float64, len(b))
	for _, p := range b {
		errorOf[p.Patient+"/"+p.Plane] = p.MAEKPa
	}
	index := map[string]int{}
	for _, p := range a {
		if _, ok := index[p.Patient]; !ok {
			index[p.Patient] = len(index)
		}
	}
	sum, n := make([]float64, len(index)), make([]float64, len(index))
	for _, p := range a {
		other, ok := errorOf[p.Patient+"/"+p.Plane]
		if !ok {
			return Difference{}, fmt.Errorf("compare: plane %s/%s is only in one of the two", p.Patient, p.Plane)
		}
		sum[index[p.Patient]] += p.MAEKPa - other
		n[index[p.Patient]]++
	}
	e, ok := newResampling(c.Seed, len(index), c.Evaluation.BootstrapSamples).ratio(sum, n)
	if !ok {
		return Difference{}, fmt.Errorf("compare: no plane")
	}
	return Difference{Mean: e.Value, CI95: e.CI95}, nil
}
