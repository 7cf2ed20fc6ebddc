package scanner

import (
	"math"
	"runtime"
)

// workers is how many goroutines share one image. The result never depends on it.
func workers() int { return runtime.GOMAXPROCS(0) }

// polarGrid is the scanner's own sampling: rows of equal depth below the probe
// face, lines of equal angle. Samples are complex baseband, so the axial step only
// has to hold the pulse's bandwidth, not its carrier.
type polarGrid struct {
	radiusMM    float64
	stepMM      float64
	stepRad     float64
	firstRad    float64
	rows, lines int
}

// newPolarGrid covers what the image grid shows of the sector.
func (s Scanner) newPolarGrid(m *Medium, ex Exam) polarGrid {
	g := polarGrid{radiusMM: s.RadiusMM, stepRad: s.LineSpacingDeg * math.Pi / 180}
	// 2.25 times the -6 dB bandwidth holds the pulse down to about -50 dB.
	g.stepMM = soundSpeedMMUs / 2 / (2.25 * s.BandwidthPercent / 100 * s.FrequencyMHz)
	halfMM := float64(m.Width) / 2 * m.MMPerPx
	heightMM := float64(m.Height) * m.MMPerPx
	corner := math.Hypot(halfMM, s.RadiusMM+heightMM) - s.RadiusMM
	g.rows = int(math.Ceil(min(ex.DepthMM, corner)/g.stepMM)) + 2
	halfRad := min(s.FieldOfViewDeg/2*math.Pi/180, math.Atan2(halfMM, s.RadiusMM))
	g.lines = 2*int(math.Ceil(halfRad/g.stepRad)) + 1
	g.firstRad = -float64(g.lines/2) * g.stepRad
	return g
}

func (g polarGrid) depth(row int) float64  { return float64(row) * g.stepMM }
func (g polarGrid) angle(line int) float64 { return g.firstRad + float64(line)*g.stepRad }

// cartesian returns the image position of a point of the sector.
func (g polarGrid) cartesian(depthMM, rad float64) (zMM, xMM float64) {
	sin, cos := math.Sincos(rad)
	return (g.radiusMM+depthMM)*cos - g.radiusMM, (g.radiusMM + depthMM) * sin
}

// polar returns depth below the probe face and angle of an image position.
func (g polarGrid) polar(zMM, xMM float64) (depthMM, rad float64) {
	return math.Hypot(zMM+g.radiusMM, xMM) - g.radiusMM, math.Atan2(xMM, zMM+g.radiusMM)
}

// resample reads a medium's map at every sample of the grid (row-major [row][line]).
// stretch is true depth over drawn depth.
func (g polarGrid) resample(m *Medium, values []float32, stretch float64) []float32 {
	out := make([]float32, g.rows*g.lines)
	parallelRows(g.rows, func(lo, hi int) {
		for line := range g.lines {
			sin, cos := math.Sincos(g.angle(line))
			for row := lo; row < hi; row++ {
				r := g.radiusMM + g.depth(row)*stretch
				y, x := m.pixel(r*cos-g.radiusMM, r*sin)
				out[row*g.lines+line] = m.bilinear(values, y, x)
			}
		}
	})
	return out
}
