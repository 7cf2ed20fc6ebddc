package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HistoryPoint is the state of training after an epoch.
type HistoryPoint struct {
	Epoch, Step int
	TrainMAEKPa float64 // kPa, over the pixels trained on
	// ValMAEKPa is the error on the validation patients, kPa; NaN where it was not measured.
	ValMAEKPa    float64
	LearningRate float64 // NaN or 0 where unknown
}

// LearningCurves draws the mean absolute error in training and validation against the epoch, the lowest validation error marked, above the learning rate.
func LearningCurves(h []HistoryPoint, st Style) (*Figure, error) {
	const name = "LearningCurves"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(h) == 0 {
		return nil, refuse(name, errors.New("h: no epoch given"))
	}
	epochs, errs, rates := newLimits(), newLimits(), newLimits()
	best := -1
	for i, pt := range h {
		epochs.add(float64(pt.Epoch))
		errs.add(pt.TrainMAEKPa, pt.ValMAEKPa)
		if pt.LearningRate > 0 {
			rates.add(pt.LearningRate)
		}
		if finite(pt.ValMAEKPa) && (best < 0 || pt.ValMAEKPa < h[best].ValMAEKPa) {
			best = i
		}
	}
	if errs.empty() {
		return nil, refuse(name, errors.New("h: every error is NaN, so there is nothing to draw"))
	}
	if epochs.hi == epochs.lo {
		epochs.lo, epochs.hi = epochs.lo-1, epochs.hi+1
	}
	const left, labelMM, width, top, height, rateHeight = 15.0, 2.6, 70.0, 7.0, 42.0, 17.0
	withRate := !rates.empty()
	total := top + height + 10
	if withRate {
		total += rateHeight + 3
	}
	train, val := solid(vermillion, 1), solid(blue, 1.2)
	train.Dashes = dashing[1]
	entries := []entry{{text: "training", line: &train}}
	ring := draw.GlyphStyle{Color: blue, Radius: 2.6, Shape: draw.RingGlyph{}}
	if best >= 0 {
		entries = append(entries, entry{text: "validation", line: &val},
			entry{text: fmt.Sprintf("lowest %s kPa, epoch %d", number(h[best].ValMAEKPa, 1), h[best].Epoch), glyph: &ring})
	}

	curve := func(value func(HistoryPoint) float64, sty draw.LineStyle) marks {
		return func(c draw.Canvas, x, y func(float64) vg.Length) {
			var pts []vg.Point
			for _, pt := range h {
				at := vg.Point{X: x(float64(pt.Epoch)), Y: vg.Length(math.NaN())}
				if v := value(pt); finite(v) {
					at.Y = y(v)
					if len(h) <= 25 {
						c.DrawGlyph(draw.GlyphStyle{Color: sty.Color, Radius: 1.2, Shape: draw.CircleGlyph{}}, at)
					}
				}
				pts = append(pts, at)
			}
			polyline(c, sty, pts)
		}
	}
	paint := func(p page) {
		p.legend(2, 3, singleColumnMM-2, entries)
		axes := newAxes("Epoch", "")
		axes.X.Min, axes.X.Max = epochs.lo, epochs.hi
		axes.Y.Min, axes.Y.Max = 0, axisEnd(errs.hi*1.02, 5)
		axes.X.Tick.Marker, axes.Y.Tick.Marker = whole{6}, steps{5}
		if withRate {
			axes.X.Label.Text = ""
			axes.X.Tick.Marker = unlabelled{axes.X.Tick.Marker}
		}
		axes.Add(grid{y: true}, curve(func(pt HistoryPoint) float64 { return pt.TrainMAEKPa }, train), curve(func(pt HistoryPoint) float64 { return pt.ValMAEKPa }, val))
		if best >= 0 {
			axes.Add(marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
				c.DrawGlyph(ring, vg.Point{X: x(float64(h[best].Epoch)), Y: y(h[best].ValMAEKPa)})
			}))
		}
		p.place(axes, p.rect(left, top, width, height))
		p.writeUp(labelPen, labelMM, top+height/2, "Mean absolute error (kPa)")
		if !withRate {
			return
		}
		rate := newAxes("Epoch", "")
		rate.X.Min, rate.X.Max = epochs.lo, epochs.hi
		rate.X.Tick.Marker = whole{6}
		rate.Y.Scale = plot.LogScale{}
		rate.Y.Min = math.Pow(10, math.Floor(math.Log10(rates.lo)+1e-9))
		rate.Y.Max = math.Pow(10, math.Ceil(math.Log10(rates.hi)-1e-9))
		if rate.Y.Max <= rate.Y.Min {
			rate.Y.Min, rate.Y.Max = rate.Y.Min/10, rate.Y.Max*10
		}
		rate.Y.Tick.Marker = decades{}
		rate.Add(curve(func(pt HistoryPoint) float64 {
			if pt.LearningRate > 0 {
				return pt.LearningRate
			}
			return math.NaN()
		}, solid(softInk, 0.9)))
		p.place(rate, p.rect(left, top+height+3, width, rateHeight))
		p.writeUp(labelPen, labelMM, top+height+3+rateHeight/2, "Learning rate")
	}
	last := h[len(h)-1]
	alt := fmt.Sprintf("Mean absolute error (kPa) against epoch, %d points to epoch %d. Training ends at %s kPa.", len(h), last.Epoch, number(last.TrainMAEKPa, 2))
	if best >= 0 {
		alt += fmt.Sprintf(" Validation is lowest at epoch %d with %s kPa.", h[best].Epoch, number(h[best].ValMAEKPa, 2))
	}
	return newFigure(name, singleColumnMM, total, st, alt, paint), nil
}
