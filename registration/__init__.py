"""What and where: exam years as data, applications and their lifecycle, submissions, the printed form."""
