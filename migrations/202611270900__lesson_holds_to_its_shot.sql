-- migrate:up
-- A lesson is what its shot teaches, and names butt, place and readers as the shot and its events do, which are held to
-- theirs: to look all of them up once more for each shot is a tenth of what PostgreSQL does for a replay.
ALTER TABLE lesson
    DROP CONSTRAINT IF EXISTS lesson_target_id_fkey,
    DROP CONSTRAINT IF EXISTS lesson_slot_id_fkey,
    DROP CONSTRAINT IF EXISTS lesson_bow_reader_id_fkey,
    DROP CONSTRAINT IF EXISTS lesson_target_reader_id_fkey;

-- migrate:down
ALTER TABLE lesson
    ADD CONSTRAINT lesson_target_id_fkey FOREIGN KEY (target_id) REFERENCES target (id),
    ADD CONSTRAINT lesson_slot_id_fkey FOREIGN KEY (slot_id) REFERENCES slot (id),
    ADD CONSTRAINT lesson_bow_reader_id_fkey FOREIGN KEY (bow_reader_id) REFERENCES reader (id),
    ADD CONSTRAINT lesson_target_reader_id_fkey FOREIGN KEY (target_reader_id) REFERENCES reader (id);
