package sswe

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"

	"elastography/data"
)

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

// Curve is a receiver operating characteristic: "stiffer than a cut" against histopathology.
type Curve struct {
	FalsePositive, TruePositive []float64 // rates, from (0,0) to (1,1)
	AUC                         float64
}

// roc builds the curve of a score; ok is false where one of the classes is empty.
func roc(scores []float64, tumour []bool) (c Curve, ok bool) {
	if !slices.Contains(tumour, true) || !slices.Contains(tumour, false) {
		return Curve{}, false
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	y, classes := make([]float64, len(scores)), make([]bool, len(scores))
	for k, i := range order {
		y[k], classes[k] = scores[i], tumour[i]
	}
	c.TruePositive, c.FalsePositive, _ = stat.ROC(nil, y, classes, nil)
	c.AUC = integrate.Trapezoidal(c.FalsePositive, c.TruePositive)
	return c, true
}

// operatingPoint is sensitivity and specificity of "stiffer than cutKPa".
func operatingPoint(scores []float64, tumour []bool, cutKPa float64) (sensitivity, specificity float64) {
	var hit, positive, pass, negative float64
	for i, t := range tumour {
		stiff := scores[i] > cutKPa
		switch {
		case t:
			positive++
			if stiff {
				hit++
			}
		default:
			negative++
			if !stiff {
				pass++
			}
		}
	}
	return hit / max(positive, 1), pass / max(negative, 1)
}
