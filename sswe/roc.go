package sswe

import "elastography/data"

// firstFocus is the lowest label value of a tumour focus in histopathology maps.
const firstFocus = 10

func isTumour(label uint8) bool { return label >= firstFocus }

// Tile is a square region scored against histopathology: the same pixels for the measured and the synthetic image.
type Tile struct {
	Patient      string
	Tumour       bool
	MeasuredKPa  float64 // mean over the tile's valid pixels
	SyntheticKPa float64
}

// tiles cuts a plane into squares of TileMM and keeps those in the gland with at least half of their pixels valid.
// A tile is tumour if most of it is; benign if no tumour pixel is within GuardMM; others are left out, as a
// pathologist's outline is not exact to the millimetre.
func tiles(s *data.Sample, predictionKPa []float32, labels []uint8, e Evaluation) []Tile {
	h, w := s.Grid.Height, s.Grid.Width
	side := max(1, int(e.TileMM/s.Grid.MMPerPx+0.5))
	guard := int(e.GuardMM/s.Grid.MMPerPx + 0.999)
	var list []Tile
	for top := 0; top+side <= h; top += side {
		for left := 0; left+side <= w; left += side {
			t := Tile{Patient: s.Patient}
			valid, tumour := 0, 0
			for y := top; y < top+side; y++ {
				for x := left; x < left+side; x++ {
					i := y*w + x
					if !s.Mask[i] || labels[i] == 0 {
						continue
					}
					valid++
					t.MeasuredKPa += float64(s.TargetKPa[i])
					t.SyntheticKPa += float64(predictionKPa[i])
					if isTumour(labels[i]) {
						tumour++
					}
				}
			}
			if 2*valid < side*side {
				continue
			}
			t.MeasuredKPa /= float64(valid)
			t.SyntheticKPa /= float64(valid)
			t.Tumour = 2*tumour >= valid
			if t.Tumour || !tumourWithin(labels, h, w, top-guard, left-guard, top+side+guard, left+side+guard) {
				list = append(list, t)
			}
		}
	}
	return list
}

// tumourWithin looks for a tumour pixel in rows [top, bottom) and columns [left, right).
func tumourWithin(labels []uint8, h, w, top, left, bottom, right int) bool {
	for y := max(0, top); y < min(h, bottom); y++ {
		for x := max(0, left); x < min(w, right); x++ {
			if isTumour(labels[y*w+x]) {
				return true
			}
		}
	}
	return false
}
