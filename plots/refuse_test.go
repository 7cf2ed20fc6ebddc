package plots

import (
	"math"
	"strings"
	"testing"
)

func TestFiguresRefuseWhatTheyCannotDraw(t *testing.T) {
	nan := math.NaN()
	good := plane(1, 24, 20, true)
	empty := Map{24, 20, 0.5, make([]float32, 480)}
	for i := range empty.Values {
		empty.Values[i] = float32(nan)
	}
	with := func(change func(*PanelRow)) []PanelRow {
		r := good
		change(&r)
		return []PanelRow{r}
	}
	panels := func(change func(*PanelRow)) func() (*Figure, error) {
		return func() (*Figure, error) { return Panels(with(change), Style{}) }
	}
	for _, c := range []struct {
		name  string
		draw  func() (*Figure, error)
		words []string // figure and argument
	}{
		{"no rows", func() (*Figure, error) { return Panels(nil, Style{}) }, []string{"Panels", "rows"}},
		{"map without a value", panels(func(r *PanelRow) { r.SSWE = empty; r.SSWE.MMPerPx = good.SWE.MMPerPx }), []string{"Panels", "rows[0].SSWE", "NaN"}},
		{"short B-mode", panels(func(r *PanelRow) { r.BMode.Pix = r.BMode.Pix[:7] }), []string{"Panels", "rows[0].BMode", "7 values", "480"}},
		{"no pixel size", panels(func(r *PanelRow) { r.BMode.MMPerPx = 0 }), []string{"rows[0].BMode", "MMPerPx"}},
		{"maps of two grids", panels(func(r *PanelRow) { r.SWE = Map{2, 2, 1, []float32{1, 2, 3, 4}} }), []string{"rows[0].SWE", "2 × 2"}},
		{"maps of two pixel sizes", panels(func(r *PanelRow) { r.SWE.MMPerPx *= 2 }), []string{"rows[0].SWE", "mm a pixel"}},
		{"labels of another grid", panels(func(r *PanelRow) { r.Labels = r.Labels[1:] }), []string{"rows[0].Labels", "479"}},
		{"negative size", panels(func(r *PanelRow) { r.BMode.Height = -3 }), []string{"rows[0].BMode", "-3"}},
		{"huge size", panels(func(r *PanelRow) { r.BMode.Height, r.BMode.Width = math.MaxInt, 2 }), []string{"rows[0].BMode", "at most"}},
		{"uncertainty of some rows", func() (*Figure, error) {
			other := good
			other.Sigma = nil
			return Panels([]PanelRow{good, other}, Style{})
		}, []string{"rows[1].Sigma"}},
		{"unknown colour map", func() (*Figure, error) { return Panels([]PanelRow{good}, Style{Map: "rainbow"}) }, []string{"Panels", "style.Map", "rainbow", "viridis"}},
		{"scale that is no number", func() (*Figure, error) { return Panels([]PanelRow{good}, Style{ScaleMaxKPa: nan}) }, []string{"style.ScaleMaxKPa"}},
		{"no history", func() (*Figure, error) { return LearningCurves(nil, Style{}) }, []string{"LearningCurves", "h:"}},
		{"history without errors", func() (*Figure, error) {
			return LearningCurves([]HistoryPoint{{Epoch: 1, TrainMAEKPa: nan, ValMAEKPa: nan}}, Style{})
		}, []string{"LearningCurves", "NaN"}},
		{"no pixel errors", func() (*Figure, error) {
			return ErrorDistribution(ErrorSample{PixelErrorKPa: []float32{float32(nan)}, PlaneMAEKPa: []float64{1}, PlanePatient: []string{"P1"}}, Style{})
		}, []string{"ErrorDistribution", "PixelErrorKPa"}},
		{"planes without patients", func() (*Figure, error) {
			return ErrorDistribution(ErrorSample{PixelErrorKPa: []float32{1}, PlaneMAEKPa: []float64{1, 2}, PlanePatient: []string{"P1"}}, Style{})
		}, []string{"PlanePatient", "1 names for 2"}},
		{"a plane without an error", func() (*Figure, error) {
			return ErrorDistribution(ErrorSample{PixelErrorKPa: []float32{1}, PlaneMAEKPa: []float64{nan}, PlanePatient: []string{"P1"}}, Style{})
		}, []string{"PlaneMAEKPa[0]"}},
		{"unpaired pixels", func() (*Figure, error) {
			return MeasuredVsSynthetic([]float32{1, 2}, []float32{1}, Fit{}, Style{})
		}, []string{"MeasuredVsSynthetic", "synthetic", "1 values beside 2"}},
		{"no pair of pixels", func() (*Figure, error) {
			return MeasuredVsSynthetic([]float32{1, float32(nan)}, []float32{float32(nan), 1}, Fit{}, Style{})
		}, []string{"measured, synthetic"}},
		{"a fit that failed", func() (*Figure, error) {
			return MeasuredVsSynthetic([]float32{1}, []float32{1}, Fit{Slope: nan}, Style{})
		}, []string{"fit.Slope"}},
		{"no regions", func() (*Figure, error) { return BlandAltman(BlandAltmanData{}, Style{}) }, []string{"BlandAltman", "MeanKPa"}},
		{"limits upside down", func() (*Figure, error) {
			return BlandAltman(BlandAltmanData{MeanKPa: []float64{1}, DifferenceKPa: []float64{1}, LowerKPa: 3, UpperKPa: -3}, Style{})
		}, []string{"LowerKPa"}},
		{"no curves", func() (*Figure, error) { return ROC(nil, Style{}) }, []string{"ROC", "curves"}},
		{"a rate above one", func() (*Figure, error) {
			return ROC([]ROCCurve{{Name: "SWE", FalsePositive: []float64{0, 1}, TruePositive: []float64{0, 1.2}, AUC: 0.5}}, Style{})
		}, []string{"curves[0]", "SWE", "1.2"}},
		{"an area that is no number", func() (*Figure, error) {
			return ROC([]ROCCurve{{FalsePositive: []float64{0, 1}, TruePositive: []float64{0, 1}, AUC: nan}}, Style{})
		}, []string{"curves[0]", "AUC"}},
		{"no baselines", func() (*Figure, error) { return Baselines(nil, Style{}) }, []string{"Baselines", "rows"}},
		{"no differences", func() (*Figure, error) { return Differences(nil, Style{}) }, []string{"Differences", "rows"}},
		{"a difference that is no number", func() (*Figure, error) { return Differences([]DifferenceRow{{Name: "l2", KPa: nan}}, Style{}) }, []string{"rows[0]", "l2"}},
		{"a baseline without error", func() (*Figure, error) { return Baselines([]BaselineRow{{Name: "median", MAEKPa: nan}}, Style{}) }, []string{"rows[0]", "median"}},
		{"no groups", func() (*Figure, error) { return ErrorByGroup(nil, Style{}) }, []string{"ErrorByGroup", "groups"}},
		{"an empty group", func() (*Figure, error) {
			return ErrorByGroup([]GroupError{{Facet: "Zone", Group: "CZ", MAEKPa: nan}}, Style{})
		}, []string{"groups[0]", "Zone, CZ"}},
		{"no layers", func() (*Figure, error) { return Network(nil, Style{}) }, []string{"Network", "layers"}},
		{"a skip from later on", func() (*Figure, error) {
			return Network([]NetworkLayer{{Kind: "input", Height: 1, Width: 1, Channels: 1, SkipFrom: 3}}, Style{})
		}, []string{"layers[0]", "SkipFrom 3"}},
		{"an unknown kind of layer", func() (*Figure, error) {
			return Network([]NetworkLayer{{Kind: "dense", Height: 1, Width: 1, Channels: 1, SkipFrom: -1}}, Style{})
		}, []string{"layers[0]", "dense"}},
		{"a field without a value", func() (*Figure, error) { return Field(empty, "E", "kPa", "", Style{}) }, []string{"Field", "NaN"}},
		{"no picture", func() (*Figure, error) { return Grayscale(Gray{}, "B-mode", Style{}) }, []string{"Grayscale", "0 × 0"}},
		{"neither field nor picture", func() (*Figure, error) { return SideBySide([]LabelledMap{{Title: "nothing"}}, Style{}) }, []string{"SideBySide", "maps[0]", "nothing"}},
		{"a scale upside down", func() (*Figure, error) {
			return SideBySide([]LabelledMap{{Field: &good.SWE, Min: 5, Max: 1}}, Style{})
		}, []string{"maps[0]", "Min 5"}},
		{"latent points without groups", func() (*Figure, error) {
			return LatentSpace(LatentPoints{X: []float64{1}, Y: []float64{1}}, Style{})
		}, []string{"LatentSpace", "l.Group"}},
		{"axes without names", func() (*Figure, error) {
			return Lines([]LinePanel{{Series: []LineSeries{{X: []float64{1}, Y: []float64{1}}}}}, Style{})
		}, []string{"Lines", "panels[0]", "XLabel"}},
		{"no calibration", func() (*Figure, error) { return UncertaintyCalibration(Calibration{}, Style{}) }, []string{"UncertaintyCalibration", "c.Nominal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := c.draw()
			if err == nil {
				t.Fatalf("drew %q", f.Alt())
			}
			for _, w := range append(c.words, "plots: ") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// Whatever is finite somewhere is drawn, however odd.
func TestOddInputIsDrawnWithoutAPanic(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	one := Map{1, 1, 1, []float32{20}}
	odd := Map{2, 3, 1e-3, []float32{float32(nan), float32(inf), -4, 0, 1e30, 3}}
	long := strings.Repeat("a title that never ends ", 30)
	for name, draw := range map[string]func() (*Figure, error){
		"a plane of one pixel": func() (*Figure, error) {
			return Panels([]PanelRow{{BMode: Gray{1, 1, 1, []uint8{9}}, SWE: one, SSWE: one, Labels: []uint8{12}}}, Style{})
		},
		"no pixel in common": func() (*Figure, error) {
			a, b := Map{1, 2, 1, []float32{20, float32(nan)}}, Map{1, 2, 1, []float32{float32(nan), 20}}
			return Panels([]PanelRow{{Title: long, Note: long, BMode: Gray{1, 2, 1, []uint8{9, 9}}, SWE: a, SSWE: b}}, Style{})
		},
		"infinite and huge values": func() (*Figure, error) { return Field(odd, long, "kPa", "", Style{}) },
		"a field of zeros":         func() (*Figure, error) { return Field(Map{1, 2, 1, []float32{0, 0}}, "", "", "", Style{}) },
		"negative field":           func() (*Figure, error) { return Field(Map{1, 2, 1, []float32{-3, -1}}, "", "", "", Style{}) },
		"labels beyond the names": func() (*Figure, error) {
			return Field(Map{1, 4, 1, []float32{float32(nan), 200, 7, -1}}, "", "", "labels", Style{})
		},
		"one epoch": func() (*Figure, error) {
			return LearningCurves([]HistoryPoint{{Epoch: 3, TrainMAEKPa: 4, ValMAEKPa: nan, LearningRate: inf}}, Style{})
		},
		"a diverged training": func() (*Figure, error) {
			return LearningCurves([]HistoryPoint{{Epoch: 1, TrainMAEKPa: 4, ValMAEKPa: 0}, {Epoch: 2, TrainMAEKPa: inf, ValMAEKPa: nan, LearningRate: 1e-300}}, Style{})
		},
		"one pixel, one plane": func() (*Figure, error) {
			return ErrorDistribution(ErrorSample{PixelErrorKPa: []float32{0}, PlaneMAEKPa: []float64{0}, PlanePatient: []string{long}}, Style{})
		},
		"ninety patients": func() (*Figure, error) {
			e := ErrorSample{PixelErrorKPa: []float32{1, float32(nan), float32(inf)}}
			for i := range 90 {
				e.PlaneMAEKPa = append(e.PlaneMAEKPa, float64(i))
				e.PlanePatient = append(e.PlanePatient, strings.Repeat("x", i))
			}
			return ErrorDistribution(e, Style{})
		},
		"pairs at and beyond the scale": func() (*Figure, error) {
			return MeasuredVsSynthetic([]float32{70, 500, -3, 0}, []float32{70, 20, 20, 0}, Fit{Slope: -1e9, Intercept: 1e12}, Style{ScaleMaxKPa: 70})
		},
		"one region": func() (*Figure, error) {
			return BlandAltman(BlandAltmanData{MeanKPa: []float64{0, nan}, DifferenceKPa: []float64{0, 1}}, Style{})
		},
		"a curve of two points": func() (*Figure, error) {
			return ROC([]ROCCurve{{Name: long, FalsePositive: []float64{0, 1}, TruePositive: []float64{0, 1}, AUC: 0.5, Low: nan, High: nan, Mark: &[2]float64{0, 1}}}, Style{})
		},
		"a perfect baseline": func() (*Figure, error) { return Baselines([]BaselineRow{{Name: long, Low: -inf, High: inf}}, Style{}) },
		"an interval without end": func() (*Figure, error) {
			return ErrorByGroup([]GroupError{{Facet: "Zone", Group: "PZ", MAEKPa: 4, BiasKPa: 1, Low: -1e300, High: 5}}, Style{})
		},
		"a plane hardly deep": func() (*Figure, error) {
			r := plane(2, 3, 200, false)
			r.BMode.MMPerPx, r.SWE.MMPerPx, r.SSWE.MMPerPx = 0.2, 0.2, 0.2
			return Panels([]PanelRow{r}, Style{})
		},
		"forty groups": func() (*Figure, error) {
			var groups []GroupError
			for i := range 40 {
				groups = append(groups, GroupError{Facet: string(rune('A' + i%3)), Group: long, BiasKPa: nan, N: i})
			}
			return ErrorByGroup(groups, Style{})
		},
		"a network of one layer": func() (*Figure, error) {
			return Network([]NetworkLayer{{Kind: "output", Height: 1 << 20, Width: 1, Channels: 1 << 30, SkipFrom: -1}}, Style{})
		},
		"a network of a hundred layers": func() (*Figure, error) { return Network(unet(1<<13, 1<<13, 12, 1), Style{}) },
		"one latent point": func() (*Figure, error) {
			return LatentSpace(LatentPoints{X: []float64{5, nan}, Y: []float64{5, 1}, Group: []string{"", "b"}}, Style{})
		},
		"a curve far from zero": func() (*Figure, error) {
			return Lines([]LinePanel{{XLabel: "x", YLabel: "y", Series: []LineSeries{{X: []float64{1e17, 1e17 + 32}, Y: []float64{1e300, -1e300}}}}}, Style{})
		},
		"logarithm of nothing": func() (*Figure, error) {
			return Lines([]LinePanel{{XLabel: "x", YLabel: "y", LogY: true, Series: []LineSeries{{X: []float64{1, 1}, Y: []float64{0, 5}, Low: []float64{-1, nan}, High: []float64{1, inf}}}}}, Style{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := draw()
			if err != nil {
				t.Fatal(err)
			}
			for format, encode := range map[string]func() ([]byte, error){"PNG": func() ([]byte, error) { return f.png(40) }, "SVG": f.SVG, "PDF": f.PDF} {
				if _, err := encode(); err != nil {
					t.Errorf("%s: %v", format, err)
				}
			}
			if w, h := f.SizeMM(); !(w > 10 && w < 200 && h > 10 && h < 260) {
				t.Errorf("a figure of %.0f × %.0f mm fits no page", w, h)
			}
		})
	}
}
