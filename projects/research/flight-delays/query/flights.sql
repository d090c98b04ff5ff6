-- The flights of first_day until the day before end_day, with what was known an hour before each departure.
-- `late` is what the model predicts: whether the flight arrived at least late_minutes after its scheduled time.
WITH schedule AS (      -- one row per scheduled flight, cancelled ones included: they too were on the timetable
    SELECT
        printf('%04d-%02d-%02d', year, month, day) AS day,
        time_hour,
        carrier,
        origin,
        dest,
        tailnum,
        distance,
        sched_dep_time / 100 * 60 + sched_dep_time % 100 AS departure_minute,
        sched_arr_time / 100 * 60 + sched_arr_time % 100 AS arrival_minute,
        COUNT(*) OVER (PARTITION BY origin, time_hour) AS departures_in_hour,
        arr_delay >= {late_minutes} AS late             -- NULL for a flight that was cancelled or diverted
    FROM flights
),
origin_days AS (
    SELECT origin, day, AVG(late) AS late_share FROM schedule GROUP BY origin, day
)
SELECT
    s.day,
    s.carrier,
    s.origin,
    s.dest,
    s.distance,
    s.departure_minute,
    -- both times are local, so this contains the time difference; `dest` tells the model how large that is
    (s.arrival_minute - s.departure_minute + 1440) % 1440 AS scheduled_minutes,
    s.departures_in_hour,
    CAST(strftime('%w', s.day) AS INTEGER) AS weekday,
    CAST(strftime('%Y', s.day) AS INTEGER) - p.year AS plane_age,
    p.seats,
    w.temp,
    w.dewp,
    w.humid,
    w.wind_speed,
    w.precip,
    w.pressure,
    w.visib,
    yesterday.late_share AS origin_late_yesterday,
    s.late
FROM schedule AS s
LEFT JOIN planes AS p ON p.tailnum = s.tailnum
-- the observation of the hour before: that of the departure hour itself is not there yet when the prediction is made
LEFT JOIN weather AS w
    ON w.origin = s.origin AND w.time_hour = strftime('%Y-%m-%dT%H:%M:%SZ', s.time_hour, '-1 hour')
LEFT JOIN origin_days AS yesterday
    ON yesterday.origin = s.origin AND yesterday.day = date(s.day, '-1 day')
WHERE s.day >= {first_day:literal} AND s.day < {end_day:literal} AND s.late IS NOT NULL
ORDER BY s.day, s.departure_minute, s.origin, s.carrier, s.dest, s.tailnum
