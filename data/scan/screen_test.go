package scan

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"testing"
)

// through sends a picture through a file format; quality 0 is PNG.
func through(t testing.TB, im image.Image, quality int) image.Image {
	t.Helper()
	var b bytes.Buffer
	var err error
	if quality == 0 {
		err = png.Encode(&b, im)
	} else {
		err = jpeg.Encode(&b, im, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := image.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// agreement compares an imported screen with the truth it was drawn from.
type agreement struct {
	medianKPa  float64 // median absolute error where both show a value below the limit
	p95KPa     float64
	iou        float64 // of shown pixels
	recall     float64 // share of truly saturated pixels that are flagged
	precision  float64 // share of flagged pixels that are at 95 % of the limit or more
	boxOff     int     // largest offset of a side of the box, px
	mmOff      float64 // relative error of the pixel size
	greyMedian float64 // median difference of grey levels
}

func compare(s *Screen, tr truth, m made) agreement {
	var errs, greys []float64
	var both, either, saturated, flagged, right, fair float64
	origin := s.Layout.PlainView.Where.Min.Sub(tr.plain) // crop's corner in the view
	for y := range tr.h {
		for x := range tr.w {
			i := y*tr.w + x
			cx, cy := x-origin.X, y-origin.Y
			have, at := false, 0
			if cx >= 0 && cy >= 0 && cx < s.Width && cy < s.Height {
				at = cy*s.Width + cx
				v := s.SWEKPa[at]
				have = v == v
				greys = append(greys, math.Abs(float64(s.BMode[at])-tr.grey[i]))
			}
			if have || tr.shown[i] {
				either++
			}
			if have && tr.shown[i] {
				both++
				if !tr.saturated[i] {
					errs = append(errs, math.Abs(float64(s.SWEKPa[at])-tr.kPa[i]))
				}
			}
			if tr.saturated[i] {
				saturated++
				if have && s.Saturated[at] {
					right++
				}
			}
			if have && s.Saturated[at] {
				flagged++
				if tr.kPa[i] >= 0.95*m.limitKPa {
					fair++
				}
			}
		}
	}
	want := tr.box.Add(tr.plain)
	got := s.Layout.PlainBox.Where
	return agreement{
		medianKPa: median(errs), p95KPa: quantile(errs, 0.95), iou: both / either,
		recall: right / max(1, saturated), precision: fair / max(1, flagged),
		boxOff:     max(abs(got.Min.X-want.Min.X), abs(got.Min.Y-want.Min.Y), abs(got.Max.X-want.Max.X), abs(got.Max.Y-want.Max.Y)),
		mmOff:      math.Abs(s.MMPerPx*m.pxPerCM/10 - 1),
		greyMedian: median(greys),
	}
}

func TestDrawnScreensComeBack(t *testing.T) {
	maps := []struct {
		name  string
		knots []vec
	}{{"jet", jet()}, {"warm jet", warmJet()}}
	qualities := []int{0, 75, 95, 85}
	turn := 0
	for _, sideways := range []bool{false, true} {
		for io, opacity := range []float64{0.4, 0.6, 1} {
			for il, limit := range []float64{75, 150, 300} {
				for ic, colours := range maps {
					m := made{
						sideways: sideways, opacity: opacity, limitKPa: limit, colours: colours.knots,
						plainFirst: (io+il+ic)%2 == 1, barLeft: il == 1, pxPerCM: []float64{52, 64, 81}[io],
					}
					m.name = fmt.Sprintf("sideways %v, opacity %g, %g kPa, %s", sideways, opacity, limit, colours.name)
					picked := []int{qualities[turn%4], qualities[(turn/2+turn+1)%4]}
					turn++
					t.Run(m.name, func(t *testing.T) {
						t.Parallel()
						im, tr := m.draw(t)
						for _, q := range picked {
							s, err := Analyse(through(t, im, q), Options{})
							if err != nil {
								t.Errorf("quality %d: %v", q, err)
								continue
							}
							a := compare(s, tr, m)
							t.Logf("q %d: %+v, opacity %.3f, r %.2f", q, a, s.Opacity, s.TextureR)
							bound := 1.0
							if q == 75 {
								bound = 2
							}
							if s.ScaleMaxKPa != limit {
								t.Errorf("quality %d: scale read as %g, drawn as %g", q, s.ScaleMaxKPa, limit)
							}
							if !(a.medianKPa <= bound) || a.iou < 0.98 || a.recall < 0.95 || a.precision < 0.95 || a.boxOff > 1 || a.mmOff > 0.01 || a.greyMedian > 4 {
								t.Errorf("quality %d: %+v\n%s", q, a, s.Layout)
							}
						}
					})
				}
			}
		}
	}
}
