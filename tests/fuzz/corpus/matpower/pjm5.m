function mpc = pjm5
% PJM 5-bus system, one hour, 1,000 MW of load.
%
% Figures: F. Li and R. Bo, "Small test systems for power system economic studies", IEEE Power and
% Energy Society General Meeting, 2010. Written for Walras from these figures; see README.md.
%
% Answer of the lossless DC market: cost 17,479.90 $/h; prices at buses 1 to 5
% 16.98, 26.38, 30.00, 39.94, 10.00 $/MWh; the line 4-5 is full, from 5 to 4.

mpc.version = '2';
mpc.baseMVA = 100;

% bus    type  Pd   Qd      Gs  Bs  area  Vm  Va  baseKV  zone  Vmax  Vmin
mpc.bus = [
    1     2     0    0      0   0   1     1   0   230     1     1.1   0.9;
    2     1     300  98.61  0   0   1     1   0   230     1     1.1   0.9;
    3     2     300  98.61  0   0   1     1   0   230     1     1.1   0.9;
    4     3     400  131.47 0   0   1     1   0   230     1     1.1   0.9;
    5     2     0    0      0   0   1     1   0   230     1     1.1   0.9;
];

% bus     Pg   Qg   Qmax   Qmin    Vg  mBase  status  Pmax  Pmin
mpc.gen = [
    1     0    0    30    -30      1   100    1       40    0;    % Alta
    1     0    0    127.5 -127.5   1   100    1       170   0;    % Park City
    3     0    0    390   -390     1   100    1       520   0;    % Solitude
    4     0    0    150   -150     1   100    1       200   0;    % Sundance
    5     0    0    450   -450     1   100    1       600   0;    % Brighton
];

% from    to   r        x       b        rateA rateB rateC ratio angle status
mpc.branch = [
    1     2    0.00281  0.0281  0.00712  400   0     0     0     0     1;
    1     4    0.00304  0.0304  0.00658  0     0     0     0     0     1;
    1     5    0.00064  0.0064  0.03126  0     0     0     0     0     1;
    2     3    0.00108  0.0108  0.01852  0     0     0     0     0     1;
    3     4    0.00297  0.0297  0.00674  0     0     0     0     0     1;
    4     5    0.00297  0.0297  0.00674  240   0     0     0     0     1;
];

% model   startup  shutdown  n   $/MWh  $/h
mpc.gencost = [
    2     0        0         2   14     0;
    2     0        0         2   15     0;
    2     0        0         2   30     0;
    2     0        0         2   40     0;
    2     0        0         2   10     0;
];
