package data

import (
	"cmp"
	"fmt"
	"slices"
)

// ShufflePairs gives each plane's stiffness the image of another patient, at the same position of the organ (the plane's
// name): the control that a network trained on it learns no more than where stiffness usually lies. Everything but Image
// is shared with the samples given; the pairing depends on the seed and the patients alone. Shuffle within a split, or
// the control leaks. A position that only one patient has is an error.
func ShufflePairs(samples []*Sample, seed uint64) ([]*Sample, error) {
	positions := make(map[string][]int)
	var names []string
	for i, s := range samples {
		if len(positions[s.Plane]) == 0 {
			names = append(names, s.Plane)
		}
		positions[s.Plane] = append(positions[s.Plane], i)
	}
	out := make([]*Sample, len(samples))
	for _, name := range names {
		// The order of the samples is no part of the pairing.
		members := slices.Clone(positions[name])
		slices.SortStableFunc(members, func(a, b int) int { return cmp.Compare(samples[a].Patient, samples[b].Patient) })
		for k := 1; k < len(members); k++ {
			if samples[members[k]].Patient == samples[members[k-1]].Patient {
				return nil, fmt.Errorf("shuffle pairs: patient %s has plane %q twice", samples[members[k]].Patient, name)
			}
		}
		if len(members) < 2 {
			return nil, fmt.Errorf("shuffle pairs: plane %q is only in patient %s; there is no image to swap with", name, samples[members[0]].Patient)
		}
		// One cycle through all patients (Sattolo): nobody keeps his image.
		rng, from := Stream(seed, "shuffled pairs/"+name), slices.Clone(members)
		for k := len(from) - 1; k > 0; k-- {
			j := rng.IntN(k)
			from[k], from[j] = from[j], from[k]
		}
		for k, i := range members {
			s, other := *samples[i], samples[from[k]]
			if other.Grid != s.Grid {
				return nil, fmt.Errorf("shuffle pairs: %s and %s are on different grids", s.ID(), other.ID())
			}
			s.Image = other.Image
			out[i] = &s
		}
	}
	return out, nil
}

// DepthOnly replaces each image by a ramp from 0 at the probe's face to 1 at the bottom: the control that knows depth and
// nothing of the patient. Everything but Image is shared with the samples given.
func DepthOnly(samples []*Sample) []*Sample {
	out := make([]*Sample, len(samples))
	for i, sample := range samples {
		s := *sample
		s.Image = make([]float32, s.Grid.Pixels())
		for p := range s.Image {
			s.Image[p] = float32(p/s.Grid.Width) / float32(max(s.Grid.Height-1, 1))
		}
		out[i] = &s
	}
	return out
}
