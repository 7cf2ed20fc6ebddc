package scanner
import ("fmt";"math";"testing")
func TestProbeRho(t *testing.T){
 s:=EndFire(); a:=newArray(s,6.5)
 for _,dr:=range []float64{0.02,0.0753} {
 g:=polarGrid{radiusMM:10,stepMM:dr,stepRad:.15*math.Pi/180}
 z:=a.psf(g,25,0,0,1)
 for k:=0;float64(k)*dr<0.25;k++{ var re,im float64
  for j:=0;j<=z.half;j++{w:=2.0;if j==0{w=1}; for t:=0;t+k<z.taps;t++{ar,ai,br,bi:=float64(z.re[j*z.taps+t]),float64(z.im[j*z.taps+t]),float64(z.re[j*z.taps+t+k]),float64(z.im[j*z.taps+t+k]); re+=w*(ar*br+ai*bi);im+=w*(ai*br-ar*bi)}}
  fmt.Printf("%.3f:%.3f ",float64(k)*dr,re*re+im*im)}
 fmt.Println()
 }
}
