package scanner

import "math"

// leastEchoSNR is the echo amplitude over noise below which motion is not tracked.
const leastEchoSNR = 0.7

// echoMap tells how well the ultrasound sees and pushes each point. It reads the
// medium's attenuation and mean backscatter, never a speckle stream.
type echoMap struct {
	s       Scanner
	m       *Medium
	ex      Exam
	g       polarGrid
	path    []float32 // two-way amplitude lost to attenuation in excess of mean
	mean    float64   // dB/cm/MHz
	stretch float64
}

func (s Scanner) newEchoMap(m *Medium, ex Exam) *echoMap {
	e := &echoMap{s: s, m: m, ex: ex, g: s.newPolarGrid(m, ex), stretch: 1 + ex.SoundSpeedError}
	e.mean, e.path = newArray(s, ex.FrequencyMHz).attenuation(e.g, m, ex)
	return e
}

// pixel returns the medium's pixel drawn at a position of the image.
func (e *echoMap) pixel(zMM, xMM float64) (row, col float64) {
	depth, rad := e.g.polar(zMM, xMM)
	return e.m.pixel(e.g.cartesian(depth*e.stretch, rad))
}

// at returns the echo's amplitude over the electronic noise, and the intensity of
// the push relative to the probe face.
func (e *echoMap) at(zMM, xMM float64) (snr, push float64) {
	depth, rad := e.g.polar(zMM, xMM)
	depth = max(depth, 0)
	i := min(max(int(depth/e.g.stepMM), 0), e.g.rows-1)
	j := min(max(int((rad-e.g.firstRad)/e.g.stepRad+0.5), 0), e.g.lines-1)
	lost := float64(e.path[i*e.g.lines+j])
	row, col := e.pixel(zMM, xMM)
	scatter := math.Pow(10, float64(e.m.bilinear(e.m.BackscatterDB, row, col))/20)
	// Echo and noise meet at PenetrationMM in nominal tissue.
	db := 2 * e.ex.FrequencyMHz / 10 * (e.s.NominalAttenDBCmMHz*e.s.PenetrationMM - e.mean*depth)
	snr = scatter * lost * math.Pow(10, db/20)
	// Intensity lost one way is amplitude lost two ways, at the push's frequency.
	push = math.Pow(10, -2*e.mean*e.s.PushFrequencyMHz*depth/10/20) * math.Pow(lost, e.s.PushFrequencyMHz/e.ex.FrequencyMHz)
	return snr, push
}
